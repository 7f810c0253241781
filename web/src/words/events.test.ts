import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, test } from 'vitest';

import { en } from './en';
import { zh } from './zh';

const ROOT = new URL('../../..', import.meta.url).pathname;
const ROOMS = [
  'crates/catalog/src',
  'upload-svc/src',
  'serve-svc/src',
  'janitor/src',
  'cli/src',
  'berthd/src',
];

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.rs'))
    .map((path) => readFileSync(join(ROOT, folder, path), 'utf8'));
}

/** Every kind of event that a room of the server writes down: as a field of an event, or as what makes one. */
function written(): string[] {
  const found = new Set<string>();
  for (const source of ROOMS.flatMap(sources)) {
    for (const [, kind] of source.matchAll(/(?:\bkind: |\.event\()"(\w+)"/g)) if (kind) found.add(kind);
    // Of what is done to many at once.
    const many = /fn event\(self\) -> &'static str \{[^}]*\}/.exec(source)?.[0] ?? '';
    for (const [, kind] of many.matchAll(/=> "(\w+)"/g)) if (kind) found.add(kind);
  }
  return [...found].sort();
}

test.each([
  ['English', en],
  ['Chinese', zh],
])('every kind of event that the server writes down has a word in %s, and no other has', (_name, words) => {
  expect(written().length).toBeGreaterThan(15);
  expect(Object.keys(words.events.kinds).sort()).toEqual(written());
});

test('every kind of event that the server writes down is told in docs/API.md', () => {
  const chapter = /\n## Events\n(.*?)\n## /s.exec(readFileSync(join(ROOT, 'docs/API.md'), 'utf8'))?.[1] ?? '';
  const rows = chapter.split('\n').filter((line) => line.startsWith('| `'));
  const told = rows.flatMap((row) =>
    [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]),
  );
  expect(told.sort()).toEqual(written());
});
