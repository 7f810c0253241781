import type { APIRequestContext } from '@playwright/test';

import { expect, png, test, uploaded } from './berth';

/** Whether this server has a part of the API at all; what it lacks, the page must not show. */
async function has(request: APIRequestContext, path: string): Promise<boolean> {
  const response = await request.get(`/v1/${path}`);
  return response.status() !== 404 && response.status() !== 405;
}

test('the overview tells what there is and how it is used, where the server knows', async ({
  signedIn: page,
  request,
}) => {
  const link = page.getByRole('link', { name: 'Overview' });
  if (await has(request, 'stats')) {
    await uploaded(request, [301, 302]);
    await link.click();
    await expect(page.getByRole('heading', { name: 'Overview' })).toBeVisible();
    await expect(page.getByText('Storage', { exact: true })).toBeVisible();
    await expect(page.getByRole('heading', { name: 'By kind' })).toBeVisible();
  } else {
    await page.goto('/#/overview');
    await expect(link).toHaveCount(0);
  }
});

test('hotlink rules are set, and it is told who they would refuse', async ({ signedIn: page, request }) => {
  const [image] = await uploaded(request, [311]);
  await page.goto('/#/settings/hotlink');
  if (await has(request, 'policy')) {
    await page.getByLabel('Sites that may', { exact: false }).first().fill('blog.example\n*.friends.example');
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page.getByText('Saved')).toBeVisible();
    await page.getByLabel('Link of a picture').fill(image?.url ?? '');
    await page.getByLabel('Page that shows it').fill('https://evil.example/post');
    await page.getByRole('button', { name: 'Check' }).click();
    await expect(page.getByText('It would be blocked')).toBeVisible();
    await page.getByLabel('Page that shows it').fill('https://blog.example/post');
    await page.getByRole('button', { name: 'Check' }).click();
    await expect(page.getByText('It would be shown')).toBeVisible();
  } else {
    await expect(page.getByText('BERTH_HOTLINK_ALLOW')).toBeVisible();
  }
});

test('an upload is paused and goes on, where the server takes resumable ones', async ({
  signedIn: page,
  context,
}) => {
  const options = await page.request.fetch('/v1/uploads', { method: 'OPTIONS' });
  test.skip(options.headers()['tus-version'] === undefined, 'this server takes none');
  const client = await context.newCDPSession(page);
  await client.send('Network.enable');
  // Slow enough to be paused on its way.
  const line = { offline: false, latency: 0, downloadThroughput: -1 };
  await client.send('Network.emulateNetworkConditions', { ...line, uploadThroughput: 200 * 1024 });
  const large = { name: 'large.png', mimeType: 'image/png', buffer: png(Date.now(), 800, 700, true) };
  await page.getByTestId('chooser').setInputFiles(large);
  await page.getByRole('button', { name: 'Pause: large.png' }).click();
  await expect(page.getByText(/^Paused/)).toBeVisible();
  await client.send('Network.emulateNetworkConditions', { ...line, uploadThroughput: -1 });
  await page.getByRole('button', { name: 'Resume: large.png' }).click();
  await expect(page.getByRole('heading', { name: 'Your picture is ready' })).toBeVisible();
});
