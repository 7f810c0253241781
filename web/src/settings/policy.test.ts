import { expect, test } from 'vitest';

import { hosts, shown, written, type Rules } from './policy';

test.each([
  ['blog.example\n*.friends.example', ['blog.example', '*.friends.example']],
  [' a.example, b.example，中文.example\n\na.example ', ['a.example', 'b.example', '中文.example']],
  ['', []],
])('%j are the hosts %j', (text, expected) => {
  expect(hosts(text)).toEqual(expected);
});

test.each(['allow', 'deny-embeds', 'deny'] as const)('rules survive a round (%s)', (empty) => {
  const rules: Rules = { allow: 'a.example\nb.example', deny: 'c.example', empty, dryRun: true };
  expect(shown(written({}, rules).hotlink ?? {})).toEqual(rules);
});

test('what the form does not show stays', () => {
  const policy = { expiry: { default: '30d' }, hotlink: { refusal: 'bare' } };
  const rules: Rules = { allow: '', deny: '', empty: 'allow', dryRun: false };
  expect(written(policy, rules)).toMatchObject({
    expiry: { default: '30d' },
    hotlink: { refusal: 'bare', allow: [] },
  });
});
