import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { expect, signIn, test } from './berth';

const CORPUS = process.env['BERTH_CORPUS'] ?? '../../shared/corpus';
/** A photograph that tells where it was taken, by whom, and with what. */
const photograph = readFileSync(join(CORPUS, 'generated/jpg_exif_gps.jpg'));

test('what an upload tells of its owner is taken out, as much of it as was chosen', async ({
  page,
  request,
}) => {
  await signIn(page);
  const bytesWith = async (choice: string, name: string, pad: number) => {
    await page.getByLabel('Take out of the file').selectOption({ label: choice });
    // Bytes behind the end of the picture make it another file.
    const buffer = Buffer.concat([photograph, Buffer.alloc(pad)]);
    await page.getByTestId('chooser').setInputFiles({ name, mimeType: 'image/jpeg', buffer });
    const link = page.locator('.row-of-file', { hasText: name }).locator('.link code');
    await expect(link).toBeVisible();
    const answer = await request.get(new URL((await link.textContent()) ?? '').pathname);
    return (await answer.body()).toString('latin1');
  };
  const kept = await bytesWith('Nothing', 'kept.jpg', 1);
  expect(Buffer.from(kept, 'latin1').equals(Buffer.concat([photograph, Buffer.alloc(1)]))).toBe(true);
  expect(kept).toContain('SENTINEL_PII owner');
  const located = await bytesWith('Place, names, serial numbers', 'located.jpg', 2);
  expect(located).not.toContain('SENTINEL_PII');
  expect(located, 'the maker of the camera stays').toContain('ACME');
  const bare = await bytesWith('All metadata', 'bare.jpg', 3);
  expect(bare).not.toMatch(/SENTINEL_PII|ACME/);
});
