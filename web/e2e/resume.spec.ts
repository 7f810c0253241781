import type { CDPSession, Page } from '@playwright/test';

import { expect, png, test } from './berth';

const file = () => ({ name: 'large.png', mimeType: 'image/png', buffer: png(0, 800, 700, true) });

/** How many bytes a second the browser may send; -1 is as many as it likes. */
async function line(page: Page): Promise<(uploadThroughput: number) => Promise<void>> {
  const client: CDPSession = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  return async (uploadThroughput) => {
    const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput };
    await client.send('Network.emulateNetworkConditions', conditions);
  };
}

const ready = (page: Page) =>
  expect(page.getByRole('heading', { name: 'Your picture is ready' })).toBeVisible();

test('an upload is paused and goes on', async ({ signedIn: page }) => {
  const throttle = await line(page);
  await throttle(200 * 1024);
  await page.getByTestId('chooser').setInputFiles(file());
  await page.getByRole('button', { name: 'Pause: large.png' }).click();
  await expect(page.getByText(/^Paused/)).toBeVisible();
  await throttle(-1);
  await page.getByRole('button', { name: 'Resume: large.png' }).click();
  await ready(page);
});

test('a page that is loaded again goes on by itself with what was under way, where it had got to', async ({
  signedIn: page,
}) => {
  page.on('dialog', (dialog) => void dialog.accept());
  const throttle = await line(page);
  await throttle(300 * 1024);
  await page.getByTestId('chooser').setInputFiles(file());
  const bar = page.locator('.row-of-file progress');
  await expect.poll(() => bar.evaluate((bar: HTMLProgressElement) => bar.value)).toBeGreaterThan(300_000);

  const offsets: number[] = [];
  page.on('request', (request) => {
    if (request.method() === 'PATCH' && request.url().includes('/v1/uploads/'))
      offsets.push(Number(request.headers()['upload-offset']));
  });
  await page.reload();
  await expect(page.getByText('1 file had not arrived yet')).toBeVisible();
  await throttle(-1);
  await ready(page);
  expect(offsets).toHaveLength(1);
  expect(offsets[0], 'bytes that had arrived are not sent again').toBeGreaterThan(0);

  // What is over is not kept.
  await page.reload();
  await expect(page.getByRole('button', { name: /Choose files/ })).toBeVisible();
  await page.waitForLoadState('networkidle');
  await expect(page.locator('.row-of-file')).toHaveCount(0);
});

test('a line that breaks is waited for', async ({ signedIn: page, context }) => {
  const throttle = await line(page);
  await throttle(200 * 1024);
  await page.getByTestId('chooser').setInputFiles(file());
  await expect(page.getByRole('button', { name: 'Pause: large.png' })).toBeVisible();
  await context.setOffline(true);
  await throttle(-1);
  await context.setOffline(false);
  await ready(page);
});
