import { expect, api, test, uploaded } from './berth';

const READER = 'Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0';

test('how pictures are used is told: in all, by day, by page, and who was refused', async ({
  signedIn: page,
  request,
}) => {
  const [image] = await uploaded(request, [301], { description: 'used' });
  const path = new URL(image?.url ?? '').pathname;
  const rules = { hotlink: { allow: ['blog.example'] } };
  await api(request, 'PUT', 'policy', { data: { policy: rules } });
  const look = async (referer: string) =>
    (await request.get(path, { headers: { referer, 'user-agent': READER } })).status();
  await expect.poll(() => look('https://evil.example/')).toBe(403);
  for (let views = 0; views < 3; views += 1) expect(await look('https://blog.example/post')).toBe(200);
  await api(request, 'PUT', 'policy', { data: { policy: {} } });
  interface Usage {
    total: { views: number; refusals: number };
  }
  await expect
    .poll(async () => (await api<Usage>(request, 'GET', `images/${image?.id}/usage`)).total.views)
    .toBeGreaterThanOrEqual(3);

  await page.getByRole('link', { name: 'Overview' }).click();
  const card = (name: string) =>
    page.locator('section', { has: page.getByRole('heading', { name, exact: true }) }).last();
  const today = new Date().toISOString().slice(0, 10);
  const plot = card('Views by day');
  await expect(plot.locator('canvas')).toBeVisible();
  // The plot says to who does not see it what it shows.
  const views = plot
    .getByRole('row', { name: new RegExp(today) })
    .getByRole('cell')
    .first();
  expect(Number(await views.textContent())).toBeGreaterThanOrEqual(3);
  await expect(card('Where they are seen')).toContainText('blog.example');
  await expect(card('Refused sites')).toContainText('evil.example');
  await expect(card('By kind')).toContainText('image/png');
  await card('Most seen')
    .getByRole('button', { name: /picture-301/ })
    .click();

  const details = page.getByRole('complementary', { name: 'Details' });
  await expect(details.locator('canvas')).toBeVisible();
  await expect(details).toContainText('blog.example');
  await expect(details).toContainText('evil.example');
  await expect(details).toContainText('300 × 240');
  await expect(details).toContainText('image/png');
});

test('a link is made with which a private picture is seen, and taken back', async ({
  signedIn: page,
  request,
  playwright,
}) => {
  const [image] = await uploaded(request, [321], { description: 'secret', visibility: 'private' });
  await page.goto('/#/gallery?q=secret');
  await page.getByRole('button', { name: 'Open picture-321.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('i');
  const details = page.getByRole('complementary', { name: 'Details' });
  await details.getByLabel('Signed link').selectOption({ label: '1 week' });
  await details.getByRole('button', { name: 'Create' }).click();
  const link = (await details.getByTestId('signed-link').textContent()) ?? '';
  expect(link).toMatch(/\?e=\d+&s=/);
  const stranger = await playwright.request.newContext({ baseURL: new URL(page.url()).origin });
  const asked = async (url: string) => {
    const { pathname, search } = new URL(url);
    return (await stranger.get(pathname + search)).status();
  };
  expect(await asked(link)).toBe(200);
  expect(await asked(image?.url ?? '')).toBe(404);
  page.once('dialog', (dialog) => void dialog.accept());
  await details.getByRole('button', { name: 'Take back all signed links' }).click();
  await expect(page.getByText('Signed links taken back')).toBeVisible();
  await expect.poll(() => asked(link)).toBe(404);
  await stranger.dispose();
});
