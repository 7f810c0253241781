import type { Policy, UploadRules } from '../api/types';

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** The seconds of a duration as the API writes it: `90s`, `12h`, `7d`; `0` is for ever. */
export function seconds(text: string): number {
  return Number.parseFloat(text) * (UNITS[text.at(-1) ?? ''] ?? 1);
}

/**
 * What holds for an upload into an album that says nothing itself: of each field what the nearest level says. A usual time past
 * the longest is cut to it.
 */
export function usual(site: UploadRules, album: Policy | null | undefined): UploadRules {
  const said = (text: string | undefined, above: number) => (text === undefined ? above : seconds(text));
  const longest = said(album?.expiry?.longest, site.longest_seconds);
  const wanted = said(album?.expiry?.default, site.lifetime_seconds);
  const sliding = said(album?.expiry?.sliding, site.sliding_seconds ?? 0);
  return {
    lifetime_seconds: fits(wanted, longest) ? wanted : longest,
    longest_seconds: longest,
    ...(site.sliding_seconds === undefined && album?.expiry?.sliding === undefined
      ? {}
      : { sliding_seconds: longest === 0 ? sliding : Math.min(sliding, longest) }),
    visibility: album?.visibility ?? site.visibility,
    scrub: site.scrub,
  };
}

/** Whether something may live that long; zero is for ever in both. */
export function fits(lifetime: number, longest: number): boolean {
  return longest === 0 || (lifetime !== 0 && lifetime <= longest);
}
