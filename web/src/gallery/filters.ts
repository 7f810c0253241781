import type { Sort } from '../api/images';
import type { Query } from '../api/client';
import type { Grouping } from './timeline';

export type State = 'any' | 'expiring' | 'unused' | 'private' | 'unlisted' | 'ended';

/** What of the pictures is shown, and how. It stands in the URL, so that Back and bookmarks work. */
export interface Filters {
  q: string;
  album: number | null;
  kind: 'any' | 'image' | 'video';
  state: State;
  sort: Sort;
  /** A day, `2024-05-01`: the timeline begins there. */
  day: string;
}

export const SORTS: readonly Sort[] = ['taken', 'newest', 'oldest', 'name', 'size'];
export const STATES: readonly State[] = ['any', 'expiring', 'unused', 'private', 'unlisted', 'ended'];
export const KINDS = ['any', 'image', 'video'] as const;

function oneOf<T extends string>(value: string | null, choices: readonly T[], usual: T): T {
  return choices.find((choice) => choice === value) ?? usual;
}

export function readFilters(query: URLSearchParams): Filters {
  const album = Number(query.get('album') ?? '');
  const day = query.get('day') ?? '';
  return {
    q: query.get('q') ?? '',
    album: Number.isSafeInteger(album) && album > 0 ? album : null,
    kind: oneOf(query.get('kind'), KINDS, 'any'),
    state: oneOf(query.get('state'), STATES, 'any'),
    sort: oneOf(query.get('sort'), SORTS, 'taken'),
    day: /^\d{4}-\d\d-\d\d$/.test(day) ? day : '',
  };
}

/** The parameters of the page's own URL; what is as usual is left out. */
export function written(filters: Filters): Record<string, string | null> {
  return {
    q: filters.q || null,
    album: filters.album === null ? null : String(filters.album),
    kind: filters.kind === 'any' ? null : filters.kind,
    state: filters.state === 'any' ? null : filters.state,
    sort: filters.sort === 'taken' ? null : filters.sort,
    day: filters.day || null,
  };
}

const DAY = 86_400_000;

/** The parameters of `GET /v1/images`. Times are cut to the hour: a cursor is good for the list it was made for only. */
export function asked(filters: Filters, now: number): Query {
  const hour = now - (now % 3_600_000);
  const at = (days: number) => new Date(hour + days * DAY).toISOString();
  const { state, day, sort } = filters;
  return {
    q: filters.q.trim(),
    album: filters.album,
    kind: filters.kind === 'any' ? null : filters.kind,
    sort,
    expiring_before: state === 'expiring' ? at(7) : null,
    unused_since: state === 'unused' ? at(-90) : null,
    visibility: state === 'private' || state === 'unlisted' ? state : null,
    ended: state === 'ended' ? true : null,
    [sort === 'taken' ? 'taken_to' : 'uploaded_to']: day || null,
  };
}

export function grouping(sort: Sort): Grouping {
  if (sort === 'taken') return 'taken';
  return sort === 'newest' || sort === 'oldest' ? 'uploaded' : 'none';
}

export function isFiltered(filters: Filters): boolean {
  return (
    filters.q !== '' ||
    filters.album !== null ||
    filters.kind !== 'any' ||
    filters.state !== 'any' ||
    filters.day !== ''
  );
}
