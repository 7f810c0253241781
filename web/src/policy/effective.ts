import type { Hotlink } from '../api/types';
import type { Words } from '../words/en';

/** What holds, and which level says so. */
export interface Held {
  value: unknown;
  level: string;
}

export type Effective = Partial<Record<keyof Hotlink, Held>>;

/** What would hold if a level said this over what holds above it. */
export function over(above: Effective, hotlink: Hotlink | undefined, level: string): Effective {
  const own = Object.entries(hotlink ?? {}).map(([field, value]) => [field, { value, level }]);
  return { ...above, ...(Object.fromEntries(own) as Effective) };
}

/** A field's value in words. */
export function inWords(field: keyof Hotlink, held: Held | undefined, words: Words['policy']): string {
  const value = held?.value;
  if (Array.isArray(value)) {
    if (value.length === 0) return field === 'allow' ? words.allow.nobody : words.deny.nobody;
    if (field === 'allow' && value.includes('*')) return words.allow.everyone;
    const shown = value.slice(0, 3).join(', ');
    return value.length > 3 ? `${shown} … (${value.length})` : shown;
  }
  if (typeof value === 'object' && value !== null && 'redirect' in value) return String(value.redirect);
  if (typeof value === 'boolean') return value ? words.dryRun.on : words.dryRun.off;
  if (field === 'refusal') return value === 'bare' ? words.refusal.bare : words.refusal.placeholder;
  return value === 'deny' ? words.pass.deny : words.pass.allow;
}
