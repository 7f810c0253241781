import { expect, test } from 'vitest';

import type { UploadRules } from '../api/types';
import { aboveAlbum, aboveSite } from './above';

const DAY = 86_400;
const UPLOADS: UploadRules = {
  lifetime_seconds: 30 * DAY,
  longest_seconds: 0,
  sliding_seconds: 90 * DAY,
  visibility: 'public',
  scrub: 'location',
};
const everyone = { value: ['*'], level: 'settings' };
const nobody = { value: [], level: 'site' };

test("the settings' word is known where the site says nothing", () => {
  const effective = {
    hotlink: { allow: nobody, deny: everyone },
    expiry: { default_seconds: 0, longest_seconds: 9 * DAY, sliding_seconds: 0 },
    visibility: 'public' as const,
  };
  const policy = { hotlink: { allow: [] }, expiry: { sliding: '0' } };
  expect(aboveSite(policy, effective)).toEqual({
    hotlink: { deny: everyone },
    lifetime: 0,
    longest: 9 * DAY,
    sliding: undefined,
    visibility: 'public',
  });
  // What holds may have been cut by a longest of the site's own.
  expect(aboveSite({ expiry: { longest: '9d' } }, effective).lifetime).toBeUndefined();
});

test('above an album lies the site, and above its pictures the album as well', () => {
  const site = { allow: everyone };
  expect(aboveAlbum(site, UPLOADS)).toEqual({
    hotlink: site,
    lifetime: 30 * DAY,
    longest: 0,
    sliding: 90 * DAY,
    visibility: 'public',
  });
  const album = { hotlink: { allow: [] }, expiry: { sliding: '7d' } };
  const above = aboveAlbum(site, UPLOADS, album);
  expect(above.hotlink.allow).toEqual({ value: [], level: 'album' });
  expect(above.sliding).toBe(7 * DAY);
  expect(aboveAlbum(site, null)).toMatchObject({ hotlink: site, lifetime: undefined });
});
