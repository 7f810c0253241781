import { createHash } from 'node:crypto';

import type { CDPSession, Page } from '@playwright/test';

import { api, expect, png, signIn, test } from './berth';
import { Line } from './line';

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

test('an upload that is cancelled is forgotten by the server, and begins anew when it is tried again', async ({
  signedIn: page,
}) => {
  const throttle = await line(page);
  await throttle(200 * 1024);
  const asked: string[] = [];
  page.on('request', (request) => {
    if (request.url().includes('/v1/uploads')) asked.push(request.method());
  });
  await page.getByTestId('chooser').setInputFiles(file());
  await page.getByRole('button', { name: 'Pause: large.png' }).waitFor();
  await page.getByRole('button', { name: 'Cancel: large.png' }).click();
  await expect(page.locator('[data-phase=cancelled]')).toHaveCount(1);
  await expect.poll(() => asked).toContain('DELETE');
  await throttle(-1);
  await page.getByRole('button', { name: 'Try again: large.png' }).click();
  await ready(page);
  expect(asked.filter((method) => method === 'POST')).toHaveLength(2);
});

test('when the line breaks, the upload goes on from where it had got to', async ({
  browser,
  baseURL,
  request,
}) => {
  const line = await Line.laid(baseURL ?? '', 1024 * 1024);
  const context = await browser.newContext({ proxy: { server: line.address } });
  try {
    const page = await context.newPage();
    await signIn(page);
    const asked: { method: string; offset: number }[] = [];
    page.on('request', (request) => {
      const offset = Number(request.headers()['upload-offset'] ?? -1);
      if (request.url().includes('/v1/uploads')) asked.push({ method: request.method(), offset });
    });
    const { name, mimeType, buffer } = file();
    const before = line.sent;
    await page.getByTestId('chooser').setInputFiles({ name, mimeType, buffer });
    await line.until(() => line.sent - before > buffer.length / 2);
    line.cut();
    await expect(page.getByText(/^Waiting for the connection/)).toBeVisible();
    await line.until(() => line.refused > 1);
    line.mend();
    await ready(page);

    // It asked how far it had got, and sent the rest.
    const last = asked.findLast(({ method }) => method === 'PATCH');
    expect(last?.offset).toBeGreaterThan(buffer.length / 4);
    expect(asked.map(({ method }) => method)).toContain('HEAD');
    expect(line.sent - before, 'bytes that had arrived are not sent again').toBeLessThan(1.5 * buffer.length);
    const sha256 = createHash('sha256').update(buffer).digest('hex');
    const { images } = await api<{ images: unknown[] }>(request, 'GET', `images/exists?sha256=${sha256}`);
    expect(images, 'every byte is where it was').toHaveLength(1);
  } finally {
    await context.close();
    line.close();
  }
});
