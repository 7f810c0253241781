import { expect, test } from 'vitest';

import type { Limits } from '../api/types';
import { en } from '../words/en';
import { batchRoom, refusal, typeNames } from './admission';

const limits: Limits = {
  files: 3,
  request_bytes: 1000,
  image_bytes: 100,
  video_bytes: 500,
  types: [],
};

const file = (bytes: number, type: string) => new File([new Uint8Array(bytes)], 'a', { type });

test.each([
  [100, 'image/png', ''],
  [101, 'image/png', 'Larger than 100 B'],
  [500, 'video/mp4', ''],
  [501, 'video/mp4', 'Larger than 500 B'],
  [400, '', ''],
  [501, '', 'Larger than 500 B'],
  [10, 'application/pdf', 'This type is not taken'],
  [0, 'image/png', 'The file is empty'],
])('%d bytes of %j: %j', (bytes, type, why) => {
  expect(refusal(file(bytes, type), limits, en.upload)).toBe(why);
});

test('a server that tells no limits decides for itself', () => {
  expect(refusal(file(9999, 'application/pdf'), null, en.upload)).toBe('');
});

test('a batch holds so many files and bytes, and one file at least', () => {
  const fits = batchRoom([], limits);
  expect([400, 400, 300].map((bytes) => fits(file(bytes, '')))).toEqual([true, true, false]);
  const many = batchRoom([file(1, ''), file(1, '')], limits);
  expect([1, 1].map((bytes) => many(file(bytes, '')))).toEqual([true, false]);
  expect(batchRoom([], limits)(file(5000, ''))).toBe(true);
});

test('types have the names that people know', () => {
  expect(typeNames(['image/jpeg', 'jpg', 'image/webp', 'video/quicktime', 'video/x-matroska', 'jxl'])).toBe(
    'JPEG, WebP, MOV, MKV, JXL',
  );
});
