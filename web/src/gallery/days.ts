/**
 * The name of a day (`2024-05-01`): today and yesterday by their words, this year's without the year. A short one is for where
 * there is little room.
 */
export function dayName(
  day: string,
  now: number,
  locale: string,
  words: readonly [string, string],
  short = false,
): string {
  const midnight = Date.parse(`${day}T00:00:00`);
  const today = new Date(now);
  today.setHours(0, 0, 0, 0);
  const away = Math.round((today.getTime() - midnight) / 86_400_000);
  if (away === 0) return words[0];
  if (away === 1) return words[1];
  const date = new Date(midnight);
  const sameYear = date.getFullYear() === today.getFullYear();
  return new Intl.DateTimeFormat(locale, {
    ...(short && !sameYear ? {} : { weekday: sameYear && !short ? 'long' : 'short' }),
    day: 'numeric',
    month: short ? 'short' : 'long',
    ...(sameYear ? {} : { year: 'numeric' }),
  }).format(date);
}
