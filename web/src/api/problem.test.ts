import { expect, test } from 'vitest';

import { readProblem } from './problem';

test.each([
  ['{"code":"not_found","title":"T","detail":"D"}', null, 'not_found', 'D', null],
  ['{"code":"overloaded","title":"T","detail":""}', '3', 'overloaded', 'T', 3],
  ['{"code":"x"}', 'Wed, 21 Oct 2026 07:28:00 GMT', 'x', 'x', null],
  ['<html>Bad gateway</html>', null, 'unknown', 'HTTP 502', null],
  ['null', null, 'unknown', 'HTTP 502', null],
  ['', null, 'unknown', 'HTTP 502', null],
])('%j is read', (body, retryAfter, code, words, wait) => {
  const problem = readProblem(502, body, retryAfter);
  expect([problem.status, problem.code, problem.message, problem.retryAfter]).toEqual([
    502,
    code,
    words,
    wait,
  ]);
});
