// One pass over the header lines of a request: the few headers that we read are set apart, the rest
// only count. A repeated header is counted or joined, never silently the first or the last of them.

import type { Annotation } from '../../base/annotation.ts';
import { ok, type Result } from '../../base/result.ts';
import { annotationPrefix } from './annotations.ts';
import { type HeadRefusal, malformedHead, refuseHead } from './head-refusal.ts';

export type HeaderLimits = { readonly headBytesMax: number; readonly headLinesMax: number };

/** Values of the headers we read; undefined when absent. */
export type HeaderLines = {
  host: string;
  hostCount: number;
  contentLength: string | undefined;
  contentLengthCount: number;
  transferEncoding: string | undefined;
  transferEncodingCount: number;
  /** The first of them; the count tells whether there are more. */
  authorization: string | undefined;
  authorizationCount: number;
  xApiKey: string | undefined;
  xApiKeyCount: number;
  contentType: string | undefined;
  contentTypeCount: number;
  traceparent: string | undefined;
  traceparentCount: number;
  /** All of them joined, these and the following. */
  contentEncoding: string | undefined;
  expect: string | undefined;
  cookie: string | undefined;
  origin: string | undefined;
  secFetchSite: string | undefined;
  csrf: string | undefined;
  accept: string | undefined;
  upgrade: string | undefined;
  idempotencyKey: string | undefined;
  clientRequestId: string | undefined;
  requestId: string | undefined;
  /** Our own header; another name of it that peers use. */
  priority: string | undefined;
  priorityAlias: string | undefined;
  /** As `priority`: the session, the place of the client, and which tiers it takes. */
  affinity: string | undefined;
  affinityAlias: string | undefined;
  region: string | undefined;
  strict: string | undefined;
  flexible: string | undefined;
  noShadow: string | undefined;
  /** As they came; hardly any request has some. */
  annotations: Annotation[] | undefined;
  /** Name of the first header we read whose value holds a byte outside printable ASCII. */
  impure: string | undefined;
};

function noLines(): HeaderLines {
  return {
    host: '',
    hostCount: 0,
    contentLength: undefined,
    contentLengthCount: 0,
    transferEncoding: undefined,
    transferEncodingCount: 0,
    authorization: undefined,
    authorizationCount: 0,
    xApiKey: undefined,
    xApiKeyCount: 0,
    contentType: undefined,
    contentTypeCount: 0,
    contentEncoding: undefined,
    expect: undefined,
    cookie: undefined,
    origin: undefined,
    secFetchSite: undefined,
    csrf: undefined,
    accept: undefined,
    upgrade: undefined,
    idempotencyKey: undefined,
    clientRequestId: undefined,
    requestId: undefined,
    priority: undefined,
    priorityAlias: undefined,
    affinity: undefined,
    affinityAlias: undefined,
    region: undefined,
    strict: undefined,
    flexible: undefined,
    noShadow: undefined,
    annotations: undefined,
    traceparent: undefined,
    traceparentCount: 0,
    impure: undefined,
  };
}

function joined(before: string | undefined, value: string, separator: string): string {
  return before === undefined ? value : `${before}${separator}${value}`;
}

/** Stores one header that we read. False for the many that we do not. */
function gather(g: HeaderLines, name: string, value: string): boolean {
  switch (name) {
    case 'host':
      g.hostCount += 1;
      g.host = value;
      return true;
    case 'content-length':
      g.contentLengthCount += 1;
      g.contentLength = value;
      return true;
    case 'transfer-encoding':
      g.transferEncodingCount += 1;
      g.transferEncoding = value;
      return true;
    case 'content-type':
      g.contentTypeCount += 1;
      g.contentType ??= value;
      return true;
    case 'content-encoding':
      g.contentEncoding = joined(g.contentEncoding, value, ', ');
      return true;
    case 'expect':
      g.expect = joined(g.expect, value, ', ');
      return true;
    case 'cookie':
      g.cookie = joined(g.cookie, value, '; ');
      return true;
    case 'origin':
      // A doubled Origin equals no allowed one, so joining refuses it.
      g.origin = joined(g.origin, value, ', ');
      return true;
    case 'sec-fetch-site':
      g.secFetchSite = joined(g.secFetchSite, value, ', ');
      return true;
    case 'x-tensorforge-csrf':
      g.csrf = joined(g.csrf, value, ', ');
      return true;
    case 'accept':
      g.accept = joined(g.accept, value, ', ');
      return true;
    case 'upgrade':
      g.upgrade = joined(g.upgrade, value, ', ');
      return true;
    case 'idempotency-key':
      g.idempotencyKey = joined(g.idempotencyKey, value, ', ');
      return true;
    case 'x-client-request-id':
      g.clientRequestId = joined(g.clientRequestId, value, ', ');
      return true;
    case 'x-request-id':
      g.requestId = joined(g.requestId, value, ', ');
      return true;
    case 'x-tensorforge-priority':
      g.priority = joined(g.priority, value, ', ');
      return true;
    case 'x-nexus-priority':
    case 'x-gateway-inference-objective':
      g.priorityAlias ??= value;
      return true;
    case 'x-tensorforge-affinity':
      g.affinity ??= value;
      return true;
    case 'x-session-id':
      g.affinityAlias ??= value;
      return true;
    case 'x-tensorforge-region':
      g.region ??= value;
      return true;
    case 'x-tensorforge-strict':
    case 'x-nexus-strict':
      g.strict ??= value;
      return true;
    case 'x-tensorforge-flexible':
    case 'x-nexus-flexible':
      g.flexible ??= value;
      return true;
    case 'traceparent':
      g.traceparentCount += 1;
      g.traceparent = value;
      return true;
    case 'x-tensorforge-no-shadow':
      g.noShadow ??= value;
      return true;
    default:
      return gatherAnnotation(g, name, value);
  }
}

/** The code unit of `x`: most headers are told from an annotation by their first letter. */
const firstUnit = 0x78;

function gatherAnnotation(g: HeaderLines, name: string, value: string): boolean {
  if (name.charCodeAt(0) !== firstUnit || !name.startsWith(annotationPrefix)) return false;
  g.annotations ??= [];
  g.annotations.push({ name: name.slice(annotationPrefix.length), value });
  return true;
}

/** Credentials are held apart: their own format check answers 401, also for odd bytes (case 115). */
function gatherCredential(g: HeaderLines, name: string, value: string): void {
  if (name === 'authorization') {
    g.authorizationCount += 1;
    g.authorization ??= value;
  } else if (name === 'x-api-key') {
    g.xApiKeyCount += 1;
    g.xApiKey ??= value;
  }
}

/**
 * Reads all lines of a head. `lineBytes` is the size of the request line before them. Refuses a head
 * that is too long and any of these headers, credentials apart, with a byte outside printable ASCII.
 */
export function gatherLines(
  rawHeaders: readonly string[],
  lineBytes: number,
  limits: HeaderLimits,
): Result<HeaderLines, HeadRefusal> {
  const lines = rawHeaders.length >> 1;
  if (lines > limits.headLinesMax) {
    return refuseHead(
      'head_too_large',
      'headers_too_large',
      `The head has ${lines} header lines, the limit is ${limits.headLinesMax}. Send fewer.`,
    );
  }
  const g = noLines();
  // A colon, a blank and CR LF belong to each line.
  let headBytes = lineBytes;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const rawName = rawHeaders[at] ?? '';
    const value = rawHeaders[at + 1] ?? '';
    headBytes += rawName.length + value.length + 4;
    const name = rawName.toLowerCase();
    if (!gather(g, name, value)) gatherCredential(g, name, value);
    else if (/[^\t\x20-\x7e]/.test(value)) g.impure ??= name;
  }
  if (headBytes > limits.headBytesMax) {
    return refuseHead(
      'head_too_large',
      'headers_too_large',
      `The head is ${headBytes} bytes long, the limit is ${limits.headBytesMax}. Send less.`,
    );
  }
  if (g.impure !== undefined) {
    return malformedHead(
      'header_bytes',
      `The header ${g.impure} holds a byte outside printable ASCII.`,
    );
  }
  return ok(g);
}
