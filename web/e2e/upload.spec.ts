import { expect, PASSWORD, picture, png, test } from './berth';

test.use({ permissions: ['clipboard-read', 'clipboard-write'] });

test('chosen files arrive, and their links are copied in the format that was chosen last', async ({
  signedIn: page,
}) => {
  await page.getByTestId('chooser').setInputFiles([picture('boat.png', 1), picture('sea "1".png', 2)]);
  await expect(page.getByRole('heading', { name: 'All 2 pictures are ready' })).toBeVisible();
  await page.getByRole('button', { name: 'Markdown' }).click();
  await page.getByRole('button', { name: 'Copy all 2' }).click();
  await expect(page.getByText('Copied')).toBeVisible();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^!\[boat\]\(http\S+\/i\/\w{12}\.png\)\n!\[sea "1"\]\(http\S+\/i\/\w{12}\.png\)$/);
  const link = /\((\S+)\)/.exec(text)?.[1] ?? '';
  expect((await page.request.get(link)).headers()['content-type']).toBe('image/png');
  await page.reload();
  await page.getByTestId('chooser').setInputFiles(picture('boat.png', 1));
  await expect(page.getByRole('button', { name: 'Markdown' })).toHaveAttribute('aria-pressed', 'true');
});

test('bytes that are here already are answered without being sent', async ({ signedIn: page }) => {
  const sent: string[] = [];
  page.on('request', (request) => {
    if (['POST', 'PATCH'].includes(request.method()) && /\/v1\/(images|uploads)/.test(request.url()))
      sent.push(request.method());
  });
  const fresh = Date.now() % 1_000_000;
  const add = (name: string) => page.getByTestId('chooser').setInputFiles(picture(name, fresh, 900, 700));
  await add('first.png');
  await expect(page.getByText('Ready', { exact: true })).toBeVisible();
  expect(sent.length).toBeGreaterThan(0);
  sent.length = 0;
  await add('again.png');
  await expect(page.getByText('Was here already')).toBeVisible();
  expect(sent).not.toContain('POST');
});

test('files may be dropped on any view, and pasted into it', async ({ signedIn: page }) => {
  const bytes = [...png(4)];
  const transfer = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], 'dropped.png', { type: 'image/png' }));
    return transfer;
  }, bytes);
  await page.getByRole('link', { name: 'Settings' }).click();
  for (const event of ['dragenter', 'dragover'])
    await page.dispatchEvent('body', event, { dataTransfer: transfer });
  await expect(page.getByText('Drop to upload')).toBeVisible();
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
  await expect(page.getByText('dropped.png')).toBeVisible();

  await page.getByRole('link', { name: 'Albums' }).click();
  await page.evaluate(
    (bytes) => {
      const clipboardData = new DataTransfer();
      clipboardData.items.add(new File([new Uint8Array(bytes)], 'image.png', { type: 'image/png' }));
      document.body.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
      );
    },
    [...png(5)],
  );
  // A screenshot without a name gets the time as one.
  await expect(page.getByText(/^\d{4}-\d\d-\d\d \d\d\.\d\d\.\d\d\.png$/)).toBeVisible();
  await expect(page.getByRole('heading', { name: 'All 2 pictures are ready' })).toBeVisible();
});

test('what the server would refuse is told before it is sent, and what it refuses is told in its words', async ({
  signedIn: page,
}) => {
  await expect(
    page.getByText(/Images to 64 MiB, videos to 2 GiB\. 50 files or 5 GiB at a time\./),
  ).toBeVisible();
  await page.getByTestId('chooser').setInputFiles([
    { name: 'notes.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.4') },
    { name: 'nothing.png', mimeType: 'image/png', buffer: Buffer.alloc(0) },
    { name: 'liar.png', mimeType: 'image/png', buffer: Buffer.from('this is no picture at all') },
  ]);
  await expect(page.getByText('This type is not taken')).toBeVisible();
  await expect(page.getByText('The file is empty')).toBeVisible();
  await expect(page.locator('[data-phase=failed]')).toHaveCount(3);
});

test('an upload outlives the session: after signing in again it goes on by itself', async ({
  signedIn: page,
  context,
}) => {
  await context.clearCookies();
  await page.getByTestId('chooser').setInputFiles(picture('late.png', 6));
  const dialog = page.getByRole('dialog', { name: 'Your session has ended' });
  await dialog.getByLabel('Password').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Your picture is ready' })).toBeVisible();
});
