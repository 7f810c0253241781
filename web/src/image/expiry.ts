import type { Image, UploadRules } from '../api/types';
import { seconds } from '../upload/usual';
import type { Words } from '../words/en';
import { away, date, span } from '../words/figures';

type Ending = Pick<Image, 'expires_at'>;

/**
 * For how many seconds each view keeps an image alive; 0 where its end stands still. Its own policy says so before all others;
 * theirs (`rules`, of its album) hold only where nobody said when it ends.
 */
export function slides(
  image: Pick<Image, 'expires_at' | 'ends_by_policy' | 'policy'>,
  rules: UploadRules | null,
): number {
  if (image.expires_at === null) return 0;
  const own = image.policy?.expiry?.sliding;
  const longest = rules?.longest_seconds ?? 0;
  const said = own === undefined ? (image.ends_by_policy ? (rules?.sliding_seconds ?? 0) : 0) : seconds(own);
  return longest === 0 ? said : Math.min(said, longest);
}

/** When something ends, as a sentence: `It ends on 3 Dec 2026, in 12 days.` A view keeps it for `sliding` seconds. */
export function endOf(
  { expires_at }: Ending,
  sliding: number,
  now: number,
  words: Words,
  tag: string,
): string {
  const t = words.image.end;
  if (expires_at === null) return t.never;
  const ends = t.ends(date(expires_at, tag), away(expires_at, now, tag));
  return sliding === 0 ? ends : `${ends}${t.slides(span(sliding, tag))}`;
}

/** When many end, in one sentence. */
export function endOfMany(images: readonly Ending[], now: number, words: Words, tag: string): string {
  const [first] = images;
  if (images.length === 1 && first) return endOf(first, 0, now, words, tag);
  const t = words.image.end;
  const ends = images.flatMap(({ expires_at }) => (expires_at === null ? [] : [expires_at])).sort(byTime);
  const [from, to] = [ends[0], ends.at(-1)];
  if (from === undefined || to === undefined) return t.noneEnds;
  const days = [date(from, tag), date(to, tag)] as const;
  const span = days[0] === days[1] ? t.onDay(days[0]) : t.between(...days);
  const never = images.length - ends.length;
  return never === 0 ? t.allEnd(span) : t.someEnd(ends.length, span, never);
}

const byTime = (a: string, b: string) => Date.parse(a) - Date.parse(b);
