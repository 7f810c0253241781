import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';

import { expect, picture, test, uploaded } from './berth';

/** What axe finds as the page stands, and of the colours in the other theme as well, if `both`: all else is the same there. */
async function violations(page: Page, both = false): Promise<string[]> {
  const found = await axe(page, new AxeBuilder({ page }));
  if (both) {
    await page.emulateMedia({ colorScheme: 'dark' });
    const dark = await axe(page, new AxeBuilder({ page }).withRules('color-contrast'));
    found.push(...dark.map((what) => `dark: ${what}`));
    await page.emulateMedia({ colorScheme: 'light' });
  }
  return found;
}

async function axe(page: Page, builder: AxeBuilder): Promise<string[]> {
  // Things that fade in have no colours of their own yet; what breathes for ever has them always.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity)
        .map((animation) => animation.finished.catch(() => 0)),
    ),
  );
  const { violations } = await builder.analyze();
  return violations.flatMap((violation) =>
    violation.nodes.map((node) => `${violation.id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
  );
}

/** Views with colours that no other has. */
const COLOURFUL = ['settings/tokens', 'settings/events', 'overview'];

for (const [locale, colorScheme, viewport] of [
  ['en-US', 'light', { width: 1280, height: 800 }],
  ['zh-CN', 'dark', { width: 390, height: 844 }],
] as const) {
  test.describe(`${locale}, ${colorScheme}, ${viewport.width} wide`, () => {
    test.use({ locale, colorScheme, viewport });
    test.setTimeout(150_000);
    const both = colorScheme === 'light';

    test('the door has no barrier', async ({ page }) => {
      await page.goto('/');
      await expect(page.locator('form')).toBeVisible();
      expect(await violations(page, both)).toEqual([]);
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
      expect(await violations(page, both), 'upload').toEqual([]);
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
        expect(await violations(page, both && COLOURFUL.includes(place)), place).toEqual([]);
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
      expect(await violations(page, both), 'selection').toEqual([]);
      await page.keyboard.press('Escape');
      await page.locator('[data-index="0"] .open').click();
      await page.getByRole('dialog').waitFor();
      expect(await violations(page), 'viewer').toEqual([]);
      await page.keyboard.press('i');
      await expect(page.locator('aside dl')).toBeVisible();
      await page.waitForLoadState('networkidle');
      expect(await violations(page, both), 'details').toEqual([]);
      await page.locator('aside .rules button').click();
      await page.locator('dialog form').first().waitFor();
      expect(await violations(page), 'rules').toEqual([]);
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.locator('dialog kbd').first().waitFor();
      expect(await violations(page), 'keyboard').toEqual([]);
      await page.keyboard.press('Escape');
      await expect(page.locator('dialog[open]')).toHaveCount(0);
      await page.goto('/#/gallery?q=nothing-of-that-name');
      await page.locator('.nothing').waitFor();
      expect(await violations(page), 'nothing').toEqual([]);
      await page.goto('/#/albums');
      await page.locator('.under button').last().click();
      await page.locator('dialog form').waitFor();
      expect(await violations(page), 'album').toEqual([]);
    });
  });
}
