import { expect, it } from 'vitest';
import { redact } from './redact.ts';

it.each([
  ['get https://ann:pa%40ss@host:5000/v2/ failed', 'get https://***@host:5000/v2/ failed'],
  ['git+ssh://token@host/x.git', 'git+ssh://***@host/x.git'],
  ['https://s3/x?X-Amz-Signature=abc&part=1', 'https://s3/x?X-Amz-Signature=***&part=1'],
  ['https://blob/x?sv=1&sig=a%2Fb#top', 'https://blob/x?sv=1&sig=***#top'],
  ['https://auth/token?service=r&access_token=abc', 'https://auth/token?service=r&access_token=***'],
  ['authorization: Bearer abc.def-ghi', 'authorization: Bearer ***'],
  ['Basic YW5uOnBhc3M=', 'Basic ***'],
  ['{"token":"abc","user":"ann"}', '{"token":"***","user":"ann"}'],
  ['{"refresh_token": "a\\"b"}', '{"refresh_token": "***"}'],
  ['got eyJhbGciOi.eyJzdWIi.c2ln here', 'got *** here'],
])('takes the secret out of %s', (text, expected) => {
  expect(redact(text)).toBe(expected);
});

it.each([
  'docker.io/library/debian:12@sha256:abc',
  'https://host/a@b',
  'basic blocks',
  'the token server',
  'http://127.0.0.1:5000/v2/',
])('leaves %s alone', (text) => {
  expect(redact(text)).toBe(text);
});
