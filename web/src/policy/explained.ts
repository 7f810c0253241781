import { ask } from '../api/client';
import type { Effective } from './effective';

/** What a request would be answered, and why (`GET /v1/policy/explain`). */
export interface Explained {
  decision: 'allowed' | 'refused' | 'missing';
  why: string;
  rule: string | null;
  level: string | null;
  dry_run: boolean;
  policy: Effective;
}

/** Without a URL by the site's rules. `hidden`: a page of another site embeds the picture and does not say which one it is. */
export function findExplained(url: string, referer = '', hidden = false): Promise<Explained> {
  const embed = { sec_fetch_site: 'cross-site', sec_fetch_dest: 'image' };
  return ask<Explained>('GET', 'v1/policy/explain', {
    query: { url: url.trim(), ...(hidden ? embed : { referer: referer.trim() }) },
  });
}
