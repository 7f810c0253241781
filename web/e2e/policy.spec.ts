import { api, expect, png, test, uploaded } from './berth';

test.afterEach(async ({ request }) => {
  await api(request, 'PUT', 'policy', { data: { policy: {} } });
});

test("the site's rules are set in a form, and it is told who they would refuse", async ({
  signedIn: page,
  request,
}) => {
  const [image] = await uploaded(request, [311]);
  await page.goto('/#/settings/hotlink');
  await page.getByLabel('Sites that may show pictures', { exact: true }).selectOption('These sites…');
  await page.getByRole('textbox', { name: /^Sites that may show/ }).fill('blog.example\n*.friends.example');
  await page.getByLabel('What the refused get').selectOption({ label: 'They are sent to a page…' });
  await page.getByRole('textbox', { name: 'They are sent to a page…' }).fill('https://blog.example/no');
  await page.getByLabel('Keep for', { exact: false }).first().selectOption({ label: '7 days' });
  await page.getByLabel('Keep at most for').selectOption({ label: '90 days' });
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved')).toBeVisible();
  const { policy } = await api<{ policy: unknown }>(request, 'GET', 'policy');
  expect(policy).toEqual({
    hotlink: {
      allow: ['blog.example', '*.friends.example'],
      refusal: { redirect: 'https://blog.example/no' },
    },
    expiry: { default: '7d', longest: '90d' },
  });

  await page.getByLabel('Link of a picture').fill(image?.url ?? '');
  await page.getByLabel('Page that shows it').fill('https://evil.example/post');
  await page.getByRole('button', { name: 'Check' }).click();
  await expect(page.getByText('It would be blocked')).toBeVisible();
  await expect(page.getByText('the rules of this site')).toBeVisible();
  await page.getByLabel('Page that shows it').fill('https://a.friends.example/post');
  await page.getByRole('button', { name: 'Check' }).click();
  await expect(page.getByText('It would be shown')).toBeVisible();

  // Who uploads is told of it at once.
  await page.getByRole('link', { name: 'Upload' }).click();
  const keep = page.getByLabel('Keep for');
  await expect(keep.locator('option').first()).toHaveText('The usual 7 days');
  await expect(keep.locator('option', { hasText: '1 year' })).toBeDisabled();
});

test('an album has rules of its own, and an upload into it follows them', async ({
  signedIn: page,
  request,
}) => {
  const album = await api<{ id: number }>(request, 'POST', 'albums', { data: { name: 'Strict' } });
  await page.goto('/#/albums');
  await page.getByRole('button', { name: 'Edit album: Strict' }).click();
  await page.getByRole('button', { name: 'Rules of this album…' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rules of the album: Strict' });
  await dialog.getByLabel('Keep for').selectOption({ label: 'Another number of days…' });
  await dialog.getByLabel('Keep for: Another number of days…').fill('12');
  await dialog.getByLabel('Who can see it').selectOption('Unlisted');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByText('Saved')).toBeVisible();
  await expect(dialog).toBeHidden();

  await page.getByRole('link', { name: 'Upload' }).click();
  await page.getByRole('combobox', { name: 'Album' }).selectOption({ label: 'Strict' });
  await expect(page.getByLabel('Keep for').locator('option').first()).toHaveText('The usual 12 days');
  await expect(page.getByLabel('Who can see it')).toHaveValue('unlisted');
  await page.getByTestId('chooser').setInputFiles({
    name: 'strict.png',
    mimeType: 'image/png',
    buffer: png(Date.now() % 1e6, 320, 200),
  });
  await expect(page.locator('[data-phase=done]')).toHaveCount(1);
  const { images } = await api<{ images: { visibility: string; expires_at: string; created_at: string }[] }>(
    request,
    'GET',
    `images?album=${album.id}`,
  );
  const [image] = images;
  expect(image?.visibility).toBe('unlisted');
  const days = (Date.parse(image?.expires_at ?? '') - Date.parse(image?.created_at ?? '')) / 86_400_000;
  expect(days).toBeCloseTo(12, 1);
});

test('a picture has rules of its own, whose word is told in their dialog, and can be taken back', async ({
  signedIn: page,
  request,
}) => {
  const [image] = await uploaded(request, [312], { description: 'ruled' });
  await page.goto('/#/gallery?q=ruled');
  await page.getByRole('button', { name: 'Open picture-312.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('i');
  await page.getByRole('button', { name: 'Edit rules' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rules of the picture: picture-312.png' });
  const sliding = dialog.getByLabel('Each view keeps it alive for');
  // What holds while nothing is said stands in the choice to say nothing.
  await expect(sliding.locator('option').first()).toHaveText('As its album says (Not at all)');
  await sliding.selectOption({ label: '30 days' });
  await dialog.getByLabel('Sites that may show pictures', { exact: true }).selectOption('Only berth itself');
  await dialog.getByRole('button', { name: 'Save' }).click();
  // The word about it lies in the dialog, where it can be seen.
  await expect(dialog.getByText('Saved')).toBeVisible();
  await dialog.getByLabel('Page that shows it').fill('https://blog.example/');
  await dialog.getByRole('button', { name: 'Check' }).click();
  await expect(dialog.getByText('It would be blocked')).toBeVisible();
  await expect(dialog.getByText('the rules of the picture')).toBeVisible();
  const path = new URL(image?.url ?? '').pathname;
  const shown = async () =>
    (await request.get(path, { headers: { referer: 'https://blog.example/' } })).status();
  await expect.poll(shown).toBe(403);
  await dialog.getByLabel('Sites that may show pictures', { exact: true }).selectOption('Every site');
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect.poll(shown).toBe(200);
  const kept = async () => (await api<{ policy: unknown }>(request, 'GET', `images/${image?.id}`)).policy;
  expect(await kept()).toEqual({ hotlink: { allow: ['*'] }, expiry: { sliding: '30d' } });
  // The empty choices say nothing, and a policy that says nothing is none.
  await dialog.getByLabel('Sites that may show pictures', { exact: true }).selectOption({ index: 0 });
  await sliding.selectOption({ index: 0 });
  await dialog.getByRole('button', { name: 'Save' }).click();
  await expect.poll(kept).toBeNull();
});

test('where views keep a picture alive, its end is told with that', async ({ signedIn: page, request }) => {
  await api(request, 'PUT', 'policy', { data: { policy: { expiry: { default: '30d', sliding: '90d' } } } });
  await uploaded(request, [313], { description: 'slides' });
  await uploaded(request, [314], { description: 'slides', expires_in: '30d' });
  await page.goto('/#/gallery?q=slides&sort=newest');
  // A page asks for the site's rules when it is opened.
  await page.reload();
  await page.getByRole('button', { name: 'Open picture-313.png' }).click();
  await page.getByRole('dialog', { name: /^Picture/ }).waitFor();
  await page.keyboard.press('i');
  const details = page.getByRole('complementary', { name: 'Details' });
  await expect(details).toContainText('or 90 days after the last view');
  await details.getByRole('button', { name: 'Edit', exact: true }).click();
  const dialog = page.getByRole('dialog', { name: 'Change expiry' });
  await expect(dialog).toContainText('Each view keeps it for 90 days more.');
  await page.keyboard.press('Escape');
  // An end that somebody said stands still.
  await details.getByRole('button', { name: 'Close' }).click();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('i');
  await expect(details.getByLabel('Name')).toHaveValue('picture-314.png');
  await expect(details).toContainText(/in (29|30) days/);
  await expect(details).not.toContainText('after the last view');
});
