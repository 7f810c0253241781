import { readFileSync } from 'node:fs';

import { expect, png, test } from './berth';

interface Sharex {
  RequestURL: string;
  FileFormName: string;
  Headers: Record<string, string>;
}

test('a token fills in the settings of every editor, the .sxcu uploads, and a revoked one no more', async ({
  signedIn: page,
  playwright,
}) => {
  const name = `ShareX ${Date.now()}`;
  await page.goto('/#/settings/tokens');
  await page.getByLabel('What is it for?').fill(name);
  await page.getByRole('button', { name: 'New token' }).click();
  const token = (await page.getByRole('status').locator('code').textContent()) ?? '';
  expect(token).toMatch(/^berth_/);

  const card = page.locator('section', { has: page.getByRole('heading', { name: 'Settings to paste' }) });
  const rows: Record<string, number> = { MWeb: 5, PicGo: 4, Typora: 1, Obsidian: 3, uPic: 6, 'VS Code': 5 };
  for (const [editor, count] of Object.entries(rows)) {
    await card.getByRole('button', { name: editor, exact: true }).click();
    await expect(card.getByRole('definition')).toHaveCount(count);
    await expect(card, editor).toContainText(token);
  }
  for (const editor of ['Flameshot', 'curl']) {
    await card.getByRole('button', { name: editor, exact: true }).click();
    await expect(card.locator('.text'), editor).toContainText(token);
  }

  await card.getByRole('button', { name: 'ShareX', exact: true }).click();
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    card.getByRole('button', { name: 'Download berth.sxcu' }).click(),
  ]);
  expect(download.suggestedFilename()).toBe('berth.sxcu');
  const sxcu = JSON.parse(readFileSync(await download.path(), 'utf8')) as Sharex;
  const sharex = await playwright.request.newContext();
  const upload = () =>
    sharex.post(sxcu.RequestURL, {
      headers: sxcu.Headers,
      multipart: {
        [sxcu.FileFormName]: {
          name: 'shot.png',
          mimeType: 'image/png',
          buffer: png(Date.now() % 1e6),
        },
      },
    });
  expect((await upload()).status()).toBe(201);

  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('button', { name: `Revoke: ${name}` }).click();
  await expect(page.getByText('Token revoked')).toBeVisible();
  expect((await upload()).status()).toBe(401);
  await sharex.dispose();
});
