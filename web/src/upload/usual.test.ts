import { expect, test } from 'vitest';

import type { Policy } from '../api/types';
import { fits, seconds, usual } from './usual';

const DAY = 86_400;
const site = (lifetime: number, longest: number) => ({
  lifetime_seconds: lifetime * DAY,
  longest_seconds: longest * DAY,
  visibility: 'public' as const,
  scrub: 'location' as const,
});

// The same table as crates/domain/src/policy.rs has, in days.
test.each<[number, number, Policy | null, number, number]>([
  [30, 0, null, 30, 0],
  [30, 0, {}, 30, 0],
  [30, 0, { expiry: { default: '7d' } }, 7, 0],
  [30, 0, { expiry: { default: '0' } }, 0, 0],
  [30, 9, null, 9, 9],
  [0, 9, null, 9, 9],
  [9, 9, { expiry: { longest: '90d' } }, 9, 90],
  [30, 90, { expiry: { default: '0' } }, 90, 90],
  [30, 90, { expiry: { default: '36h', longest: '2d' } }, 1.5, 2],
])('a site of %d and at most %d days with %j: %d and %d', (lifetime, most, album, wanted, longest) => {
  const rules = usual(site(lifetime, most), album);
  expect([rules.lifetime_seconds, rules.longest_seconds]).toEqual([wanted * DAY, longest * DAY]);
});

test('the nearest level says who sees an upload', () => {
  expect(usual(site(1, 0), { visibility: 'private' }).visibility).toBe('private');
  expect(usual(site(1, 0), { hotlink: {} }).visibility).toBe('public');
});

test.each([
  ['90s', 90],
  ['15m', 900],
  ['12h', 43_200],
  ['7d', 604_800],
  ['2w', 1_209_600],
  ['0', 0],
])('%s is %d seconds', (text, wanted) => expect(seconds(text)).toBe(wanted));

test('for ever is longer than any limit', () => {
  expect([fits(0, 5), fits(5, 5), fits(6, 5), fits(0, 0)]).toEqual([false, true, false, true]);
});
