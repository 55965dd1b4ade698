// A small server that speaks enough of the protocol of S3 to be stored into: PUT, GET, HEAD and
// lists of one bucket with its name in the path. It checks what a client has to send (a signature
// of version 4 in its header, date, content digest, a body of the length that was declared) and
// refuses what many compatible servers refuse: chunks with checksums behind them.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { present } from '../../src/base/assert.ts';

type ObjectRequest = {
  readonly method: string;
  /** Without the query: `/bucket/t0/1.tfd`. */
  readonly path: string;
  readonly bytes: number;
  /** What the client should have sent and did not; empty for a proper request. */
  readonly faults: readonly string[];
};

export type ObjectServer = {
  readonly url: string;
  readonly requests: readonly ObjectRequest[];
  readonly objects: Map<string, Buffer>;
  /** The next requests are answered with this status; undefined: as they should be. */
  failWith: (status: number | undefined) => void;
  close: () => Promise<void>;
};

function faultsOf(request: IncomingMessage, body: Buffer): readonly string[] {
  const faults: string[] = [];
  const { headers } = request;
  const signature =
    /^AWS4-HMAC-SHA256 Credential=\S+\/\d{8}\/\S+\/s3\/aws4_request, ?SignedHeaders=\S+, ?Signature=[0-9a-f]{64}$/;
  if (!signature.test(headers.authorization ?? '')) faults.push('authorization');
  if (!/^\d{8}T\d{6}Z$/.test(String(headers['x-amz-date']))) faults.push('x-amz-date');
  const digest = String(headers['x-amz-content-sha256']);
  if (!/^([0-9a-f]{64}|UNSIGNED-PAYLOAD)$/.test(digest)) faults.push('x-amz-content-sha256');
  if (headers['content-encoding'] !== undefined) faults.push('content-encoding');
  if (headers['x-amz-trailer'] !== undefined) faults.push('x-amz-trailer');
  if (request.method === 'PUT' && headers['content-length'] !== String(body.length)) {
    faults.push('content-length');
  }
  return faults;
}

function errorXml(code: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`;
}

function listXml(keys: readonly (readonly [string, Buffer])[], next: string | undefined): string {
  const contents = keys.map(
    ([key, { length }]) => `<Contents><Key>${key}</Key><Size>${length}</Size></Contents>`,
  );
  const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`;
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' +
    `<KeyCount>${keys.length}</KeyCount><IsTruncated>${next !== undefined}</IsTruncated>` +
    `${more}${contents.join('')}</ListBucketResult>`
  );
}

/** One page of the objects below a prefix, by key; the token is the key before the page. */
function listPage(objects: ReadonlyMap<string, Buffer>, query: URLSearchParams, size: number) {
  const after = query.get('continuation-token') ?? '';
  const prefix = query.get('prefix') ?? '';
  const found = [...objects].filter(([key]) => key.startsWith(prefix) && key > after);
  found.sort(([a], [b]) => (a < b ? -1 : 1));
  const page = found.slice(0, size);
  return listXml(page, found.length > size ? page.at(-1)?.[0] : undefined);
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

/** Listens on the loopback; lists come in pages of `pageSize` objects. */
export async function startObjectServer(
  bucket: string,
  options: { readonly pageSize?: number } = {},
): Promise<ObjectServer> {
  const objects = new Map<string, Buffer>();
  const requests: ObjectRequest[] = [];
  let failure: number | undefined;

  const answerObject = (method: string, key: string, body: Buffer, answer: ServerResponse) => {
    if (method === 'PUT') {
      objects.set(key, body);
      answer.writeHead(200, { etag: '"1"' }).end();
      return;
    }
    const stored = objects.get(key);
    if (stored === undefined) {
      answer.writeHead(404, { 'content-type': 'application/xml' });
      answer.end(method === 'HEAD' ? undefined : errorXml('NoSuchKey'));
      return;
    }
    answer.writeHead(200, { 'content-length': stored.length });
    answer.end(method === 'HEAD' ? undefined : stored);
  };

  const server = createServer(async (request, answer) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const path = decodeURIComponent(url.pathname);
    const body = await bodyOf(request);
    const method = request.method ?? '';
    const faults = faultsOf(request, body);
    requests.push({ method, path, bytes: body.length, faults });
    const key = path.slice(`/${bucket}/`.length);
    if (failure !== undefined) answer.writeHead(failure).end(errorXml('SlowDown'));
    else if (faults.length > 0) answer.writeHead(400).end(errorXml('InvalidRequest'));
    else if (!path.startsWith(`/${bucket}`)) answer.writeHead(404).end(errorXml('NoSuchBucket'));
    else if (url.searchParams.get('list-type') === '2') {
      answer.writeHead(200, { 'content-type': 'application/xml' });
      answer.end(listPage(objects, url.searchParams, options.pageSize ?? 1_000));
    } else answerObject(method, key, body, answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = present(server.address(), 'an address') as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    objects,
    failWith: (status) => {
      failure = status;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
