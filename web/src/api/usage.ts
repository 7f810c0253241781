import { ask } from './client';

export interface Use {
  views: number;
  bytes: number;
  bots: number;
  bot_bytes: number;
  refusals: number;
}

export interface SiteUse {
  /** Null: without a referring page. */
  site: string | null;
  views: number;
  refusals: number;
}

interface Used {
  from: string;
  to: string;
  days: ({ day: string } & Use)[];
  sites: SiteUse[];
  refused_sites: SiteUse[];
}

export interface ImageUsage extends Used {
  total: Use;
  last_viewed_at: string | null;
}

export interface Stats extends Used {
  totals: Use & { images: number; stored_bytes: number };
  top_images: { id: string; url: string; name: string; views: number; bytes: number }[];
  storage: { media_type: string; kind: string; images: number; bytes: number }[];
  expiring_soon: {
    before: string;
    count: number;
    images: { id: string; url: string; name: string; expires_at: string }[];
  };
  /** Bytes that the disk has lost or changed: nobody sees them until the same file is sent again. */
  damaged: { count: number; images: { id: string; url: string; name: string }[] };
}

export function findUsage(id: string): Promise<ImageUsage> {
  return ask<ImageUsage>('GET', `v1/images/${id}/usage`);
}

export function findStats(from: string, all: boolean): Promise<Stats> {
  return ask<Stats>('GET', 'v1/stats', { query: { from, all: all || null } });
}

/** A value for each day, also for those on which nothing happened and that no answer names. */
export function everyDay(used: Pick<Used, 'from' | 'to' | 'days'>): { days: string[]; values: Use[] } {
  const told = new Map(used.days.map((day) => [day.day, day]));
  const nothing: Use = { views: 0, bytes: 0, bots: 0, bot_bytes: 0, refusals: 0 };
  const days: string[] = [];
  for (let at = Date.parse(used.from); at <= Date.parse(used.to); at += 86_400_000) {
    days.push(new Date(at).toISOString().slice(0, 10));
  }
  return { days, values: days.map((day) => told.get(day) ?? nothing) };
}
