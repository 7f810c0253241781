import { expect, test } from 'vitest';

import { asked, grouping, isFiltered, readFilters, written } from './filters';

const NOW = Date.parse('2026-11-21T10:34:56Z');

test.each([
  ['', {}],
  ['q=截图&album=7&kind=video&state=ended&sort=size&day=2024-05-01', {}],
  ['album=0&kind=audio&state=lost&sort=views&day=yesterday', {}],
])('%j survives a round through the URL', (query) => {
  const filters = readFilters(new URLSearchParams(query));
  const kept = Object.entries(written(filters)).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  );
  expect(readFilters(new URLSearchParams(kept))).toEqual(filters);
});

test('what makes no sense is as usual', () => {
  const filters = readFilters(new URLSearchParams('album=x&kind=audio&state=lost&sort=views&day=1.5.2024'));
  expect(filters).toEqual({ q: '', album: null, kind: 'any', state: 'any', sort: 'taken', day: '' });
  expect(isFiltered(filters)).toBe(false);
});

test.each([
  ['state=expiring', { expiring_before: '2026-11-28T10:00:00.000Z' }],
  ['state=unused', { unused_since: '2026-08-23T10:00:00.000Z' }],
  ['state=private', { visibility: 'private' }],
  ['state=ended', { ended: true }],
  ['day=2024-05-01', { taken_to: '2024-05-01', sort: 'taken' }],
  ['day=2024-05-01&sort=newest', { uploaded_to: '2024-05-01', sort: 'newest' }],
  ['album=7&kind=image&q=%20a%20', { album: 7, kind: 'image', q: 'a' }],
])('%s asks the server for %j', (query, expected) => {
  expect(asked(readFilters(new URLSearchParams(query)), NOW)).toMatchObject(expected);
});

test('only orders in time have days', () => {
  expect((['taken', 'newest', 'oldest', 'name', 'size'] as const).map(grouping)).toEqual([
    'taken',
    'uploaded',
    'uploaded',
    'none',
    'none',
  ]);
});
