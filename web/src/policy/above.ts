import type { Hotlink, Policy, UploadRules, Visibility } from '../api/types';
import { usual } from '../upload/usual';
import { over, type Effective } from './effective';

/**
 * What holds where a level says nothing itself. What nobody can tell is absent: the settings' word under a site's own, and
 * from servers that don't say.
 */
export interface Above {
  hotlink: Effective;
  /** In seconds; 0 is for ever, or no limit. */
  lifetime?: number | undefined;
  longest?: number | undefined;
  /** In seconds; 0 is not at all. */
  sliding?: number | undefined;
  visibility?: Visibility | undefined;
}

/** What holds for the whole site (`GET /v1/policy`). */
export interface SiteEffective {
  hotlink: Effective;
  expiry: { default_seconds: number; longest_seconds: number; sliding_seconds?: number };
  visibility: Visibility;
}

/** Above the site lie the settings: they are known where the site is silent, for then what holds is theirs. */
export function aboveSite(policy: Policy, effective: SiteEffective): Above {
  const { expiry = {}, visibility } = policy;
  const silent = <T>(said: unknown, held: T) => (said === undefined ? held : undefined);
  const hotlink = Object.entries(effective.hotlink).filter(([, held]) => held.level !== 'site');
  return {
    hotlink: Object.fromEntries(hotlink) as Effective,
    lifetime: silent(expiry.default ?? expiry.longest, effective.expiry.default_seconds),
    longest: silent(expiry.longest, effective.expiry.longest_seconds),
    sliding: silent(expiry.sliding, effective.expiry.sliding_seconds),
    visibility: silent(visibility, effective.visibility),
  };
}

/** What holds above an album, or, with its policy, above the pictures in it. */
export function aboveAlbum(site: Effective, uploads: UploadRules | null, album?: Policy | null): Above {
  const own: Hotlink | undefined = album?.hotlink;
  const rules = uploads && usual(uploads, album);
  return {
    hotlink: over(site, own, 'album'),
    lifetime: rules?.lifetime_seconds,
    longest: rules?.longest_seconds,
    sliding: rules?.sliding_seconds,
    visibility: rules?.visibility,
  };
}
