import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, picture, test, uploaded } from './berth';

async function violations(page: Page): Promise<string[]> {
  // Things that fade in have no colours of their own yet.
  await page.evaluate(() =>
    Promise.all(document.getAnimations().map((animation) => animation.finished.catch(() => 0))),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
  );
}

for (const [locale, colorScheme, viewport] of [
  ['en-US', 'light', { width: 1280, height: 800 }],
  ['zh-CN', 'dark', { width: 390, height: 844 }],
] as const) {
  test.describe(`${locale}, ${colorScheme}, ${viewport.width} wide`, () => {
    test.use({ locale, colorScheme, viewport });

    test('the door has no barrier', async ({ page }) => {
      await page.goto('/');
      await expect(page.locator('form')).toBeVisible();
      expect(await violations(page)).toEqual([]);
    });

    test('no view has one', async ({ signedIn: page, request }) => {
      await uploaded(request, [201, 202, 203]);
      await page
        .getByTestId('chooser')
        .setInputFiles([
          picture('one.png', 204),
          { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') },
        ]);
      await expect(page.locator('[data-phase=done]')).toHaveCount(1);
      expect(await violations(page), 'upload').toEqual([]);
      for (const place of [
        'albums',
        'settings/tokens',
        'settings/account',
        'settings/hotlink',
        'settings/users',
        'settings/events',
        'overview',
      ]) {
        await page.goto(`/#/${place}`);
        await expect(page.locator('main h1')).toBeAttached();
        await page.waitForLoadState('networkidle');
        expect(await violations(page), place).toEqual([]);
        const [inner, outer] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          window.innerWidth,
        ]);
        expect(inner, `${place} is no wider than the screen`).toBeLessThanOrEqual(outer ?? 0);
      }
      await page.goto('/#/gallery');
      await page.locator('[data-index="0"] .open').waitFor();
      expect(await violations(page), 'gallery').toEqual([]);
      await page.locator('[data-index="1"] .check').dispatchEvent('click');
      await expect(page.getByRole('toolbar')).toBeVisible();
      expect(await violations(page), 'selection').toEqual([]);
      await page.keyboard.press('Escape');
      await page.locator('[data-index="0"] .open').click();
      await page.getByRole('dialog').waitFor();
      await page.keyboard.press('i');
      await expect(page.locator('aside dl')).toBeVisible();
      expect(await violations(page), 'viewer').toEqual([]);
    });
  });
}
