import type { Image } from '../api/types';
import type { Words } from '../words/en';
import { away, date } from '../words/figures';

type Ending = Pick<Image, 'expires_at'>;

/** When something ends, as a sentence: `It ends on 3 Dec 2026, in 12 days.` */
export function endOf({ expires_at }: Ending, now: number, words: Words, tag: string): string {
  const t = words.image.end;
  return expires_at === null ? t.never : t.ends(date(expires_at, tag), away(expires_at, now, tag));
}

/** When many end, in one sentence. */
export function endOfMany(images: readonly Ending[], now: number, words: Words, tag: string): string {
  const [first] = images;
  if (images.length === 1 && first) return endOf(first, now, words, tag);
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
