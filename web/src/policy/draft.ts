import type { Hotlink, Policy, Visibility } from '../api/types';

export type Level = 'site' | 'album' | 'image';

/** A policy as a form holds it. An empty choice says nothing: the level above decides. */
export interface Draft {
  allow: '' | 'everyone' | 'nobody' | 'list';
  allowHosts: string;
  deny: '' | 'nobody' | 'list';
  denyHosts: string;
  empty: '' | 'allow' | 'deny';
  hidden: '' | 'allow' | 'deny';
  refusal: '' | 'placeholder' | 'bare' | 'redirect';
  redirect: string;
  dryRun: '' | 'on' | 'off';
  /** As `30d`; `0` is for ever. */
  lifetime: string;
  longest: string;
  /** For how long a view keeps one alive whose end nobody said; `0` is for no time. */
  sliding: string;
  visibility: '' | Visibility;
}

export function drafted(policy: Policy | null | undefined): Draft {
  const { hotlink = {}, expiry = {}, visibility = '' } = policy ?? {};
  const { allow, deny, empty_referer = '', hidden_embeds = '', refusal = '', dry_run } = hotlink;
  return {
    allow: !allow ? '' : allow.length === 0 ? 'nobody' : isEveryone(allow) ? 'everyone' : 'list',
    allowHosts: allow && !isEveryone(allow) ? allow.join('\n') : '',
    deny: !deny ? '' : deny.length === 0 ? 'nobody' : 'list',
    denyHosts: (deny ?? []).join('\n'),
    empty: empty_referer,
    hidden: hidden_embeds,
    refusal: typeof refusal === 'object' ? 'redirect' : refusal,
    redirect: typeof refusal === 'object' ? refusal.redirect : '',
    dryRun: dry_run === undefined ? '' : dry_run ? 'on' : 'off',
    lifetime: expiry.default ?? '',
    longest: expiry.longest ?? '',
    sliding: expiry.sliding ?? '',
    visibility,
  };
}

const isEveryone = (hosts: readonly string[]) => hosts.length === 1 && hosts[0] === '*';

/** The hosts of a text: one a line, or with commas and spaces between them. */
export function hosts(text: string): string[] {
  return [...new Set(text.split(/[\s,，、;；]+/).filter((host) => host !== ''))];
}

/** The policy that a draft says; what says nothing is absent. An image's end and who sees it are fields of its own. */
export function written(draft: Draft, level: Level): Policy {
  const allow = { '': undefined, everyone: ['*'], nobody: [], list: hosts(draft.allowHosts) }[draft.allow];
  const deny = { '': undefined, nobody: [], list: hosts(draft.denyHosts) }[draft.deny];
  const hotlink: Hotlink = said({
    allow,
    deny,
    empty_referer: draft.empty || undefined,
    hidden_embeds: draft.hidden || undefined,
    refusal: draft.refusal === 'redirect' ? { redirect: draft.redirect.trim() } : draft.refusal || undefined,
    dry_run: draft.dryRun === '' ? undefined : draft.dryRun === 'on',
  });
  const isImage = level === 'image';
  const expiry = said({
    default: isImage ? undefined : draft.lifetime || undefined,
    longest: isImage ? undefined : draft.longest || undefined,
    sliding: draft.sliding || undefined,
  });
  return said({
    hotlink: isSilent(hotlink) ? undefined : hotlink,
    expiry: isSilent(expiry) ? undefined : expiry,
    visibility: isImage ? undefined : draft.visibility || undefined,
  });
}

export function isSilent(policy: object): boolean {
  return Object.keys(policy).length === 0;
}

type Said<T> = { [Field in keyof T]?: Exclude<T[Field], undefined> };

function said<T extends object>(fields: T): Said<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Said<T>;
}
