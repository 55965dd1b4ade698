// Goal: the server that stands for a bucket stores what is sent properly and refuses the rest.
// Method: plain requests, with a signature that has the form of one.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { present } from '../../src/base/assert.ts';
import { type ObjectServer, startObjectServer } from './object-server.ts';

const signed = {
  authorization:
    'AWS4-HMAC-SHA256 Credential=id/20261121/eu-central-1/s3/aws4_request, ' +
    `SignedHeaders=host;x-amz-date, Signature=${'ab'.repeat(32)}`,
  'x-amz-date': '20261121T120000Z',
  'x-amz-content-sha256': 'UNSIGNED-PAYLOAD',
};

describe('support: object server', () => {
  let started: ObjectServer | undefined;
  beforeEach(async () => {
    started = await startObjectServer('bucket', { pageSize: 1 });
  });
  afterEach(() => started?.close());

  const ask = async (method: string, path: string, headers: Record<string, string>, body = '') => {
    const sent = method === 'PUT' ? { body } : {};
    const answer = await fetch(`${present(started, 'a server').url}${path}`, {
      method,
      headers,
      ...sent,
    });
    return [answer.status, await answer.text()] as const;
  };

  test('an object is stored, read and listed in pages', async () => {
    assert.deepEqual(await ask('PUT', '/bucket/a/1', signed, 'abc'), [200, '']);
    assert.deepEqual(await ask('PUT', '/bucket/a/2', signed, 'de'), [200, '']);
    assert.deepEqual(await ask('GET', '/bucket/a/1', signed), [200, 'abc']);
    assert.equal((await ask('HEAD', '/bucket/a/9', signed))[0], 404);
    const [, first] = await ask('GET', '/bucket?list-type=2&prefix=a/', signed);
    assert.match(first, /<IsTruncated>true<.*Token>a\/1<.*<Key>a\/1<\/Key><Size>3</);
    const [, second] = await ask('GET', '/bucket?list-type=2&continuation-token=a/1', signed);
    assert.match(second, /<IsTruncated>false<.*<Key>a\/2</);
  });

  test('a request without signature, or with chunks and trailers, is refused', async () => {
    const refused = async (headers: Record<string, string>): Promise<readonly string[]> => {
      const [status] = await ask('PUT', '/bucket/a/1', headers, 'abc');
      assert.equal(status, 400);
      return present(started?.requests.at(-1), 'a request').faults;
    };
    assert.deepEqual(await refused({ ...signed, authorization: 'Bearer x' }), ['authorization']);
    const chunked = { ...signed, 'content-encoding': 'aws-chunked', 'x-amz-trailer': 'crc32' };
    assert.deepEqual(await refused(chunked), ['content-encoding', 'x-amz-trailer']);
    assert.equal(started?.objects.size, 0);
  });
});
