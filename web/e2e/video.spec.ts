import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { api, expect, test, type Uploaded } from './berth';

const CORPUS = process.env['BERTH_CORPUS'] ?? '../../shared/corpus';

test('a video plays in the viewer, and is sought in without being fetched as a whole', async ({
  signedIn: page,
  request,
}) => {
  const buffer = readFileSync(join(CORPUS, 'heic-mov-webp/m4v__sample_iPod.m4v'));
  const file = { name: 'walk.m4v', mimeType: 'video/mp4', buffer };
  await api<{ images: Uploaded[] }>(request, 'POST', 'images', {
    multipart: { file, description: 'moving', expires_in: '1d' },
  });
  await page.goto('/#/gallery?q=moving&kind=video');
  const ranges: string[] = [];
  page.on('request', (sent) => {
    const range = sent.headers()['range'];
    if (range) ranges.push(range);
  });
  await page.getByRole('button', { name: 'Open walk.m4v' }).click();
  const video = page.locator('video');
  await expect.poll(() => video.evaluate((video: HTMLVideoElement) => video.readyState)).toBeGreaterThan(1);
  expect(await video.evaluate((video: HTMLVideoElement) => video.duration)).toBeGreaterThan(80);
  await video.evaluate((video: HTMLVideoElement) => {
    video.pause();
    video.currentTime = 60;
  });
  await expect
    .poll(() => video.evaluate((video: HTMLVideoElement) => !video.seeking && video.readyState > 1))
    .toBe(true);
  expect(await video.evaluate((video: HTMLVideoElement) => video.currentTime)).toBeCloseTo(60, 0);
  expect(ranges.length, 'it is asked for in ranges').toBeGreaterThan(0);

  // The arrows seek while the video has the focus, and go on to the next picture while it has not.
  await video.focus();
  await page.keyboard.press('ArrowRight');
  await expect(page.getByRole('dialog', { name: 'Picture: walk.m4v' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(video).toHaveCount(0);
});
