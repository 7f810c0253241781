import { expect, signIn, test } from './berth';

const MOST_SCRIPT = 150 * 1024;

test('the upload page asks only its own host, and for less than 150 KB of script', async ({ page }) => {
  const client = await page.context().newCDPSession(page);
  await client.send('Network.enable');
  const scripts = new Set<string>();
  const hosts = new Set<string>();
  let bytes = 0;
  client.on('Network.responseReceived', ({ requestId, type, response }) => {
    if (response.url.startsWith('http')) hosts.add(new URL(response.url).host);
    if (type === 'Script') scripts.add(requestId);
  });
  client.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    if (scripts.has(requestId)) bytes += encodedDataLength;
  });
  await signIn(page);
  await expect(page.getByRole('button', { name: /Choose files/ })).toBeVisible();
  await page.waitForLoadState('networkidle');
  expect([...hosts]).toEqual([new URL(page.url()).host]);
  expect(scripts.size).toBeGreaterThan(0);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes, 'compressed script of the first load').toBeLessThan(MOST_SCRIPT);
});

test('the page is asked for again each time, its parts are kept for ever, and all of it is under a strict policy', async ({
  request,
}) => {
  const page = await request.get('/');
  expect(page.headers()['cache-control']).toBe('no-cache');
  expect(page.headers()['content-security-policy']).toMatch(
    /default-src 'none'; script-src 'self'; style-src 'self';/,
  );
  expect(page.headers()['content-security-policy']).not.toMatch(/unsafe|\*/);
  const html = await page.text();
  expect(html).not.toMatch(/<script(?![^>]*src=)|style=|https?:\/\//);
  const script = /src="\.?\/?(assets\/[^"]+\.js)"/.exec(html)?.[1] ?? '';
  const part = await request.get(`/${script}`);
  expect(part.headers()).toMatchObject({
    'cache-control': 'public, max-age=31536000, immutable',
    'content-encoding': 'gzip',
    'content-type': 'text/javascript; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  expect((await request.get('/assets/nothing-1a2b3c4d.js')).status()).toBe(404);
});

test('a page from before an update says so, and is loaded again', async ({ signedIn: page }) => {
  await page.route('**/assets/Gallery-*.js', (route) => route.fulfill({ status: 404 }));
  await page.getByRole('link', { name: 'Gallery' }).click();
  await expect(page.getByText('berth was updated while this page was open.')).toBeVisible();
  await page.unroute('**/assets/Gallery-*.js');
  await page.getByRole('button', { name: 'Load it again' }).click();
  await expect(page.getByRole('searchbox')).toBeVisible();
});

test('an inline script does not run, whoever puts it there', async ({ page }) => {
  await page.goto('/');
  await page.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'document.title = "taken over"';
    document.body.append(script);
  });
  expect(await page.title()).not.toBe('taken over');
});

test('what else stands at / still does', async ({ request }) => {
  expect((await request.get('/?path=/ab/0123456789abcdef0123456789abcd.png')).status()).toBe(404);
  expect(
    (await request.get('/?path=/ab/0123456789abcdef0123456789abcd.png')).headers()['content-type'],
  ).toMatch(/^image\//);
  expect((await request.get('/?upload_success=true')).headers()['content-type']).toMatch(/^text\/html/);
  expect((await request.post('/')).status()).toBe(405);
});
