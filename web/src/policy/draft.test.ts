import { expect, test } from 'vitest';

import type { Policy } from '../api/types';
import { drafted, hosts, written } from './draft';

const WHOLE: Policy = {
  hotlink: {
    allow: ['blog.example', '*.friends.example'],
    deny: ['spam.friends.example'],
    empty_referer: 'allow',
    hidden_embeds: 'deny',
    refusal: { redirect: 'https://blog.example/no' },
    dry_run: false,
  },
  expiry: { default: '30d', longest: '365d', sliding: '90d' },
  visibility: 'unlisted',
};

test.each<[string, Policy]>([
  ['nothing', {}],
  ['every field', WHOLE],
  ['everyone', { hotlink: { allow: ['*'] } }],
  ['nobody but us', { hotlink: { allow: [], deny: [] } }],
  ['a dry run', { hotlink: { dry_run: true, refusal: 'bare' } }],
  ['for ever', { expiry: { default: '0' } }],
])('a policy that says %s comes back from the form as it went in', (_name, policy) => {
  expect(written(drafted(policy), 'site')).toEqual(policy);
});

test('no policy is an empty form, which says nothing', () => {
  expect(written(drafted(null), 'album')).toEqual({});
});

test("an image's policy holds its hotlink rules and how views keep it alive", () => {
  expect(written(drafted(WHOLE), 'image')).toEqual({ hotlink: WHOLE.hotlink, expiry: { sliding: '90d' } });
});

test('hosts stand one a line, or with commas between them, and each once', () => {
  expect(hosts(' blog.example\n*.friends.example, 中文.example，blog.example ')).toEqual([
    'blog.example',
    '*.friends.example',
    '中文.example',
  ]);
});
