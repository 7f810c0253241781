import { createHash } from 'node:crypto';

import type { CDPSession, Page } from '@playwright/test';

import { expect, picture, test, uploaded } from './berth';

const scale = (page: Page) =>
  page.locator('.zoom img').evaluate((image) => new DOMMatrix(getComputedStyle(image).transform).a);

test('a picture is zoomed by keys, wheel and a double click, and let go of again', async ({
  signedIn: page,
  request,
}) => {
  await uploaded(request, [171], { description: 'zoomed' });
  await page.goto('/#/gallery?q=zoomed');
  await page.getByRole('button', { name: 'Open picture-171.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('+');
  await expect.poll(() => scale(page)).toBeCloseTo(1.5, 2);
  await page.keyboard.press('0');
  await expect.poll(() => scale(page)).toBe(1);
  await page.locator('.zoom').hover();
  await page.mouse.wheel(0, -400);
  await expect.poll(() => scale(page)).toBeGreaterThan(2);
  await page.locator('.zoom').dblclick();
  await expect.poll(() => scale(page)).toBe(1);
});

test('a finger sweeps to the next picture, and two fingers zoom', async ({
  signedIn: page,
  request,
  context,
}) => {
  await uploaded(request, [172, 173], { description: 'swept' });
  await page.goto('/#/gallery?q=swept&sort=newest');
  await page.getByRole('button', { name: 'Open picture-173.png' }).click();
  const viewer = page.getByRole('dialog', { name: /^Picture/ });
  await expect(viewer).toHaveAccessibleName('Picture: picture-173.png');
  const client = await context.newCDPSession(page);
  await client.send('Emulation.setTouchEmulationEnabled', { enabled: true });
  await drawn(client, [[{ x: 900, y: 400 }], [{ x: 700, y: 400 }], [{ x: 500, y: 400 }]]);
  await expect(viewer).toHaveAccessibleName('Picture: picture-172.png');
  await drawn(client, [[{ x: 300, y: 400 }], [{ x: 500, y: 400 }], [{ x: 700, y: 400 }]]);
  await expect(viewer).toHaveAccessibleName('Picture: picture-173.png');
  const apart = (by: number) => [
    { x: 640 - by, y: 400 },
    { x: 640 + by, y: 400 },
  ];
  await drawn(client, [apart(40), apart(80), apart(120)]);
  await expect.poll(() => scale(page)).toBeGreaterThan(2);
  await expect(viewer, 'it was no sweep').toHaveAccessibleName('Picture: picture-173.png');
});

/** Fingers are laid down, moved, and lifted. */
async function drawn(client: CDPSession, steps: { x: number; y: number }[][]): Promise<void> {
  for (const [at, fingers] of steps.entries()) {
    const touchPoints = fingers.map((finger, id) => ({ ...finger, id }));
    await client.send('Input.dispatchTouchEvent', {
      type: at === 0 ? 'touchStart' : 'touchMove',
      touchPoints,
    });
  }
  await client.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
}

test('other bytes are put under the same link', async ({ signedIn: page, request }) => {
  const [image] = await uploaded(request, [174], { description: 'replaced' });
  const path = new URL(image?.url ?? '').pathname;
  await page.goto('/#/gallery?q=replaced');
  await page.getByRole('button', { name: 'Open picture-174.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('i');
  const details = page.getByRole('complementary', { name: 'Details' });
  await expect(details).toContainText('480 × 240');
  const other = picture('other.png', Date.now() % 1e6, 200, 100);
  const [chooser] = await Promise.all([
    page.waitForEvent('filechooser'),
    details.getByRole('button', { name: 'Replace the file' }).click(),
  ]);
  await chooser.setFiles(other);
  await expect(page.getByText('The file was replaced')).toBeVisible();
  await expect(details).toContainText('200 × 100');
  const digest = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
  await expect.poll(async () => digest(await (await request.get(path)).body())).toBe(digest(other.buffer));
});

test('what was withdrawn is found among what ended, and brought back', async ({
  signedIn: page,
  request,
}) => {
  const [image] = await uploaded(request, [175], { description: 'brought back' });
  const path = new URL(image?.url ?? '').pathname;
  const status = async () => (await request.get(path)).status();
  await page.goto('/#/gallery?q=brought%20back');
  await page.getByRole('button', { name: 'Open picture-175.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('Delete');
  await expect.poll(status).toBe(404);
  await page.goto('/#/gallery?q=brought%20back&state=ended');
  await page.getByRole('checkbox', { name: 'Select picture-175.png' }).first().click({ force: true });
  await page.getByRole('button', { name: 'Bring back' }).click();
  await expect(page.getByText('1 image brought back')).toBeVisible();
  await expect.poll(status).toBe(200);
});
