import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

import { expect, test } from 'vitest';

import { editors } from './editors';

const all = editors('https://img.example', 'berth_abc', 'zh');
const of = (name: string) => all.find((editor) => editor.name === name);

test('MWeb gets what docs/clients/mweb tells', () => {
  expect(of('MWeb')?.entries?.map((entry) => entry.value)).toEqual([
    'https://img.example/api/v1/upimg',
    'file',
    'data/path',
    'https://img.example/?path=',
    'token: berth_abc',
  ]);
});

test.each([
  ['uPic', 'upic', ['POST', 'file', '["data", "url"]']],
  ['Obsidian', 'obsidian', ['PicGo(app)']],
  ['VS Code', 'vscode', ['file', 'Bearer berth_abc', 'url']],
] as const)('%s gets what docs/clients/%s.md tells', (name, page, values) => {
  const docs = readFileSync(new URL(`../../../docs/clients/${page}.md`, import.meta.url), 'utf8')
    .replaceAll('img.example.com', 'img.example')
    .replaceAll('YOUR_TOKEN', 'berth_abc');
  const entries = of(name)?.entries?.map((entry) => entry.value) ?? [];
  const urls = entries.filter((value) => value.startsWith('https:'));
  expect(urls.length).toBeGreaterThan(0);
  for (const url of urls) expect(docs).toContain(url);
  for (const value of values) {
    expect(docs).toContain(value);
    expect(entries).toContain(value);
  }
});

test('the .sxcu is JSON with the token in it', () => {
  const uploader = JSON.parse(of('ShareX')?.file?.text ?? '') as Record<string, unknown>;
  expect(uploader).toMatchObject({
    RequestURL: 'https://img.example/v1/images',
    Headers: { Authorization: 'Bearer berth_abc' },
    URL: '{json:images[0].url}',
  });
});

test("Typora's command is one that a shell understands, and gives the link alone", () => {
  const command = of('Typora')?.entries?.[0]?.value ?? '';
  const answer =
    '{"images":[{"id":"a","thumbnail_url":"https://img.example/i/a?w=1","url":"https://img.example/i/a.png","views":0}]}';
  const stub = command.replace(/curl -fsS.*?v1\/images \|/, `printf '\\''%s'\\'' '\\''${answer}'\\'' |`);
  const printed = execFileSync('sh', ['-c', `${stub} one.png`], { encoding: 'utf8' });
  expect(printed.trim()).toBe('https://img.example/i/a.png');
});
