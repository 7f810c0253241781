/** The site's hotlink rules, as a form shows them. */

export interface Rules {
  allow: string;
  deny: string;
  empty: 'allow' | 'deny-embeds' | 'deny';
  dryRun: boolean;
}

export interface Hotlink {
  allow?: string[];
  deny?: string[];
  empty_referer?: 'allow' | 'deny';
  hidden_embeds?: 'allow' | 'deny';
  refusal?: unknown;
  dry_run?: boolean;
}

export interface Policy {
  hotlink?: Hotlink | null;
  [field: string]: unknown;
}

export function shown(hotlink: Hotlink): Rules {
  const { allow = [], deny = [], empty_referer, hidden_embeds, dry_run = false } = hotlink;
  const empty = empty_referer === 'deny' ? 'deny' : hidden_embeds === 'deny' ? 'deny-embeds' : 'allow';
  return { allow: allow.join('\n'), deny: deny.join('\n'), empty, dryRun: dry_run };
}

/** The hosts of a text: one a line, or with commas and spaces between them. */
export function hosts(text: string): string[] {
  return [...new Set(text.split(/[\s,，、;]+/).filter((host) => host !== ''))];
}

/** The policy with these rules in it; what the form doesn't show stays. */
export function written(policy: Policy, rules: Rules): Policy {
  return {
    ...policy,
    hotlink: {
      ...policy.hotlink,
      allow: hosts(rules.allow),
      deny: hosts(rules.deny),
      empty_referer: rules.empty === 'deny' ? 'deny' : 'allow',
      hidden_embeds: rules.empty === 'allow' ? 'allow' : 'deny',
      dry_run: rules.dryRun,
    },
  };
}
