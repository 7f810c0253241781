import { execFileSync } from 'node:child_process';
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
