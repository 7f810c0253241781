/** Numbers as people read them. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes, with three digits at most: `1.5 MiB`. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${Number(value.toFixed(digits))} ${UNITS[unit]}`;
}

/** A number of seconds, roughly: nobody believes the seconds of an hour. */
export function duration(seconds: number, locale: string): string {
  const [value, unit]: [number, 'second' | 'minute' | 'hour'] =
    seconds < 90 ? [seconds, 'second'] : seconds < 5400 ? [seconds / 60, 'minute'] : [seconds / 3600, 'hour'];
  const format = new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'short',
    maximumFractionDigits: 0,
  });
  return spaced(format.format(Math.max(1, Math.round(value))), locale);
}

/** Between figures and Chinese stands a space, as in all the words of the page; what browsers write has none. */
function spaced(text: string, locale: string): string {
  return locale.startsWith('zh') ? text.replace(/(?<=\d)(?=\p{Script=Han})/gu, ' ') : text;
}

export function number(value: number, locale: string): string {
  return new Intl.NumberFormat(locale).format(value);
}

/** A large number in few characters: `12.3K`, `1.2万`. */
export function compact(value: number, locale: string): string {
  return new Intl.NumberFormat(locale, { notation: 'compact', maximumFractionDigits: 1 }).format(value);
}

export function moment(time: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time));
}

export function date(time: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium' }).format(new Date(time));
}

/** How far away a time is: `in 3 days`, `2 小时前`. */
export function away(time: string, now: number, locale: string): string {
  const seconds = (Date.parse(time) - now) / 1000;
  const format = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' });
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ['year', 31_557_600],
    ['month', 2_629_800],
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ];
  for (const [unit, length] of steps) {
    if (Math.abs(seconds) >= length) return spaced(format.format(Math.trunc(seconds / length), unit), locale);
  }
  return format.format(0, 'minute');
}

/** A length of time as a policy says it, exactly: `30 days`, `36 hours`, `90 分钟`. */
export function span(seconds: number, locale: string): string {
  const units: [Intl.NumberFormatOptions['unit'], number][] = [
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
    ['second', 1],
  ];
  const [unit, length] = units.find(([, length]) => seconds % length === 0) ?? ['second', 1];
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });
  return spaced(format.format(seconds / length), locale);
}

/**
 * The clock on the wall where a picture was taken, and how far that was ahead of UTC. Whoever looks may be elsewhere: their own
 * clock has nothing to say here.
 */
export function wallClock(takenAt: string, locale: string): string {
  const naive = `${takenAt.slice(0, 19)}Z`;
  return new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' }).format(
    new Date(naive),
  );
}
