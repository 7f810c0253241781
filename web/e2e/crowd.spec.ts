import { expect, signIn, test } from './berth';

const CROWD = process.env['BERTH_CROWD'] ?? '';

test.skip(CROWD === '', 'an account with 100,000 pictures, which page.rs makes');

test('100,000 pictures are scrolled through like a hundred', async ({ page }) => {
  // They have rows and no bytes: what is looked at here is the list.
  await page.route('**/i/**', (route) => route.abort());
  await signIn(page, '/#/gallery', 'crowd', CROWD);
  const tiles = page.locator('[data-index]');
  await tiles.first().waitFor();
  const height = () => page.evaluate(() => document.documentElement.scrollHeight);
  for (let pages = 0; pages < 12; pages += 1) {
    const before = await height();
    await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
    await expect.poll(height).toBeGreaterThan(before);
  }
  const last = await tiles.last().getAttribute('data-index');
  expect(Number(last)).toBeGreaterThan(2000);
  expect(await tiles.count(), 'only what is near the screen is drawn').toBeLessThan(250);

  const frames = await page.evaluate(async () => {
    const frames: number[] = [];
    let before = performance.now();
    for (let step = 0; step < 90; step += 1) {
      window.scrollBy(0, -300);
      const now = await new Promise<number>((resolve) => requestAnimationFrame(resolve));
      frames.push(now - before);
      before = now;
    }
    return frames.sort((a, b) => a - b);
  });
  expect(frames[45], `the median of frames: ${frames.join(' ')}`).toBeLessThan(50);
});

test('the timeline begins at the day that is asked for', async ({ page }) => {
  await page.route('**/i/**', (route) => route.abort());
  await signIn(page, '/#/gallery?day=2020-06-01', 'crowd', CROWD);
  await expect(page.getByRole('heading', { level: 2 }).first()).toHaveText('Mon, June 1, 2020');
});
