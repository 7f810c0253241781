import type { APIRequestContext, Page } from '@playwright/test';
import axe from 'axe-core';

import { api, expect, picture, PASSWORD, test, uploaded, USERNAME } from './berth';

/** A desk and a phone: between them lie no more arrangements than these have. */
const SCREENS = [
  { width: 1280, height: 800 },
  { width: 390, height: 844 },
] as const;

// What moves while one looks has no colours of its own.
test.use({ contextOptions: { reducedMotion: 'reduce' } });

interface Look {
  lang: string;
  violations: string[];
  /** How wide what the page holds is. */
  width: number;
}

/** What axe finds as the page stands; of the colours alone, where all else was looked at already. */
async function found(page: Page, coloursAlone: boolean): Promise<Look> {
  return page.evaluate(async (coloursAlone) => {
    const { axe } = window as unknown as { axe: typeof import('axe-core') };
    const still = document
      .getAnimations()
      .filter((animation) => animation.effect?.getComputedTiming().iterations !== Infinity);
    await Promise.all(still.map((animation) => animation.finished.catch(() => 0)));
    const { violations } = await axe.run(document, {
      resultTypes: ['violations'],
      ...(coloursAlone ? { runOnly: ['color-contrast'] } : {}),
    });
    const { lang, scrollWidth } = document.documentElement;
    const told = violations.flatMap(({ id, nodes }) =>
      nodes.map((node) => `${id}: ${node.target.join(' ')} ${node.failureSummary ?? ''}`),
    );
    return { lang, violations: told, width: scrollWidth };
  }, coloursAlone);
}

/** The page speaks the other language, whatever lies over the button for that. */
async function speak(page: Page): Promise<void> {
  await page.evaluate(async () => {
    document.querySelector<HTMLElement>('button[lang]')?.click();
    await new Promise((resolve) => requestAnimationFrame(resolve));
  });
}

/** Looks at a view as it stands in each language, theme and width. Only colours differ between the themes. */
async function look(page: Page, view: string): Promise<void> {
  // A page that was loaded anew has no axe.
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source);
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    for (const screen of SCREENS) {
      await page.setViewportSize(screen);
      const seen: string[] = [];
      while (seen.length < 2) {
        const { lang, violations, width } = await found(page, colorScheme === 'dark');
        const where = `${view}, ${lang}, ${colorScheme}, ${screen.width} wide`;
        expect.soft(violations, where).toEqual([]);
        expect.soft(width, `${where}: nothing is wider than the screen`).toBeLessThanOrEqual(screen.width);
        seen.push(lang);
        await speak(page);
      }
      expect(seen.sort()).toEqual(['en', 'zh-CN']);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(SCREENS[0]);
}

const quiet = (page: Page) => page.waitForLoadState('networkidle');

async function close(page: Page): Promise<void> {
  await page.keyboard.press('Escape');
  await expect(page.locator('dialog[open]')).toHaveCount(0);
}

test('the door has no barrier, in any language, theme and width', async ({ page }) => {
  await page.goto('/');
  await expect(page.locator('form')).toBeVisible();
  await page.locator('summary').click();
  await page.locator('input[name=username]').fill(USERNAME);
  await page.locator('input[name=password]').fill('not the password');
  await page.locator('form button').click();
  await expect(page.getByRole('alert')).toBeVisible();
  await look(page, 'door');
});

test('no view has a barrier, in any language, theme and width', async ({
  signedIn: page,
  request,
  context,
}) => {
  test.setTimeout(300_000);
  const [first] = await uploaded(request, [201, 202, 203], { description: 'barrier', expires_in: '3d' });
  await seen(request, first?.url ?? '');
  await page
    .getByTestId('chooser')
    .setInputFiles([
      picture('one.png', 204),
      { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF') },
    ]);
  await expect(page.locator('[data-phase=done]')).toHaveCount(1);
  await look(page, 'upload');

  for (const place of [
    'overview',
    'albums',
    'settings/account',
    'settings/hotlink',
    'settings/users',
    'settings/events',
    'settings/tokens',
  ]) {
    await page.goto(`/#/${place}`);
    await expect(page.locator('main h1')).toBeAttached();
    await quiet(page);
    await look(page, place);
  }
  await page.locator('main form button').first().click();
  await expect(page.locator('main [role=status] code').first()).toBeVisible();
  await look(page, 'a new token');
  await page.goto('/#/settings/users');
  await page.locator('main li button').first().click();
  await page.locator('dialog form').waitFor();
  await look(page, 'a user');
  await close(page);
  await page.goto('/#/albums');
  await page.locator('.under button').last().click();
  await page.locator('dialog form').waitFor();
  await look(page, 'an album');
  await page.locator('dialog .rules').click();
  await page.locator('dialog.wide form').waitFor();
  await look(page, "an album's rules");
  // Back in the form of the album, and out of that.
  await page.keyboard.press('Escape');
  await expect(page.locator('dialog.wide')).toHaveCount(0);
  await close(page);

  await page.goto('/#/gallery?q=barrier');
  await page.locator('[data-index="0"] .open').waitFor();
  await look(page, 'gallery');
  await page.locator('[data-index="1"] .check').dispatchEvent('click');
  await expect(page.getByRole('toolbar')).toBeVisible();
  await look(page, 'selection');
  for (const nth of [0, 1, 2]) {
    await page.getByRole('toolbar').locator('.do button').nth(nth).click();
    await page.locator('dialog[open]').waitFor();
    await look(page, `selection, question ${nth}`);
    await close(page);
  }
  await page.keyboard.press('Escape');
  await page.locator('[data-index="0"] .open').click();
  await page.locator('.viewer').waitFor();
  await look(page, 'viewer');
  await page.keyboard.press('i');
  await expect(page.locator('aside dl')).toBeVisible();
  await quiet(page);
  await look(page, 'details');
  await page.locator('aside dl button').first().click();
  await page.locator('dialog .choices').waitFor();
  await look(page, 'expiry');
  await close(page);
  await page.locator('aside .rules button').click();
  await page.locator('dialog form').first().waitFor();
  await look(page, 'rules');
  await close(page);
  await page.keyboard.press('?');
  await page.locator('dialog kbd').first().waitFor();
  await look(page, 'keyboard');
  await close(page);

  await page.goto('/#/gallery?q=nothing-of-that-name');
  await page.locator('.nothing').waitFor();
  await look(page, 'nothing');
  await page.goto('/#/settings/tokens');
  await context.clearCookies();
  // Not by the mouse: what the view itself asks meanwhile may find first that the session has ended, and then the dialog is above the button.
  await page.locator('main form button').first().dispatchEvent('click');
  await page.locator('dialog input[name=password]').waitFor();
  await look(page, 'the session has ended');
  await page.locator('dialog input[name=password]').fill(PASSWORD);
  await page.locator('dialog form button').click();
  await expect(page.locator('dialog[open]')).toHaveCount(0);
});

/** A picture is looked at, so that there is something to be plotted. */
async function seen(request: APIRequestContext, url: string): Promise<void> {
  await request.get(new URL(url).pathname, { headers: { referer: 'https://blog.example/post' } });
  const stats = async () => await api<{ totals: { views: number; bots: number } }>(request, 'GET', 'stats');
  await expect.poll(async () => Object.values((await stats()).totals).some((count) => count > 0)).toBe(true);
}
