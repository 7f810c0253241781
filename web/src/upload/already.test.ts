import { expect, test } from 'vitest';

import type { Image } from '../api/types';
import { endOf, extended } from './already';

const NOW = Date.parse('2026-11-21T00:00:00Z');

test.each([
  [null, 30, '2026-12-21T00:00:00.000Z'],
  [null, 0, null],
  ['0', 30, null],
  ['90s', 30, '2026-11-21T00:01:30.000Z'],
  ['15m', 30, '2026-11-21T00:15:00.000Z'],
  ['1h', 30, '2026-11-21T01:00:00.000Z'],
  ['7d', 0, '2026-11-28T00:00:00.000Z'],
])('%j with %d usual days ends at %j', (wish, usual, end) => {
  const at = endOf(wish, usual * 86_400, NOW);
  expect(at === null ? null : new Date(at).toISOString()).toBe(end);
});

test.each([
  ['2026-11-30T00:00:00Z', '2026-12-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z'],
  ['2026-12-02T00:00:00Z', '2026-12-01T00:00:00.000Z', undefined],
  ['2026-12-02T00:00:00Z', null, null],
  [null, '2026-12-01T00:00:00.000Z', undefined],
  [null, null, undefined],
])('an image that ends at %j, asked to live until %j, is given %j', (ends, wanted, given) => {
  const image = { expires_at: ends } as Image;
  expect(extended(image, wanted === null ? null : Date.parse(wanted))).toBe(given);
});
