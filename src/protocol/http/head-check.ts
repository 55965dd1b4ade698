// The one strict check of a request head. Node's parser has refused what it can see (folded lines,
// control characters, doubled lengths); this check refuses what it lets through, so that every hop
// before and behind us sees the same single request: no second length, no transfer coding but one
// `chunked`, one Host that is ours, an origin-form target. A refusal is decided here, before any
// credential is looked at, and names the `kind` that labels the metric.
//
// Not visible in a parsed head, so not decided here: bare LF and two blanks in the request line,
// chunk sizes and extensions, trailers.

import type { Annotation } from '../../base/annotation.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { checkAnnotations } from './annotations.ts';
import { checkFraming, type Framing, hasBody } from './framing.ts';
import { type HeadRefusal, malformedHead, refuseHead } from './head-refusal.ts';
import { gatherLines, type HeaderLines } from './header-lines.ts';
import { acceptRequestId, acceptTraceparent } from './header-value.ts';
import { judgeHost } from './host.ts';
import { canonicalPath } from './path.ts';

export type RequestHead = {
  readonly method: string;
  /** The target of the request line, as it came. */
  readonly target: string;
  /** `1.1` and so on, without `HTTP/`. */
  readonly httpVersion: string;
  /** Name, value, name, value, ... as Node's parser delivers them (values as latin1). */
  readonly rawHeaders: readonly string[];
};

export type HeadRules = {
  /** Exact lower-case hosts; an entry without a port allows every port. */
  readonly allowedHosts: ReadonlySet<string>;
  readonly targetBytesMax: number;
  readonly headBytesMax: number;
  readonly headLinesMax: number;
  /** The largest body of any route; a route may hold a smaller limit itself. */
  readonly bodyBytesMax: number;
};

/** Security section 3, all but the hosts. */
export const defaultHeadRules = {
  targetBytesMax: 8 * 1024,
  headBytesMax: 16 * 1024,
  headLinesMax: 100,
  bodyBytesMax: 10 * 1024 * 1024,
} as const satisfies Omit<HeadRules, 'allowedHosts'>;

export type HeadFacts = {
  /** Canonical path, see path.ts. */
  readonly path: string;
  readonly query: string;
  /** Lower-case; empty when HTTP/1.0 sent none, which only `/health` may. */
  readonly host: string;
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  readonly authorization: string | undefined;
  readonly authorizationCount: number;
  readonly xApiKey: string | undefined;
  readonly xApiKeyCount: number;
  readonly contentType: string | undefined;
  readonly contentTypeCount: number;
  /** All values joined by a comma. */
  readonly contentEncoding: string | undefined;
  readonly expectContinue: boolean;
  /** All values joined by a semicolon. */
  readonly cookie: string | undefined;
  readonly origin: string | undefined;
  readonly secFetchSite: string | undefined;
  readonly csrf: string | undefined;
  readonly accept: string | undefined;
  readonly upgrade: string | undefined;
  readonly idempotencyKey: string | undefined;
  /** A client's own correlation id, only if it is a good one. */
  readonly clientRequestId: string | undefined;
  /** Only if it is valid. */
  readonly traceparent: string | undefined;
  /** How urgent the client says it is, as it wrote it. */
  readonly priority: string | undefined;
  /** The session that it says it belongs to. */
  readonly affinity: string | undefined;
  /** Where it says that it is. */
  readonly region: string | undefined;
  /** May a backend of a lower tier stand in? */
  readonly mayUseLowerTier: boolean;
  /** May a copy of the request be sent to what is being tried out? */
  readonly mayShadow: boolean;
  /** What the client wants to find again with the request; undefined for most. */
  readonly annotations: readonly Annotation[] | undefined;
};

/** The origin form of the target, or the refusal. An absolute form must name the same host. */
function originForm(target: string, g: HeaderLines): Result<string, HeadRefusal> {
  if (!/^[\x21-\x7e]+$/.test(target) || /[#\\]/.test(target)) {
    return malformedHead(
      'target',
      'The target holds a character that no target may hold: a fragment, a backslash, a raw byte.',
    );
  }
  if (target.startsWith('//'))
    return malformedHead('target', 'The target starts with two slashes.');
  if (target.startsWith('/')) return ok(target);
  const absolute = /^https?:\/\/([^/?]*)([/?].*)?$/i.exec(target);
  if (absolute === null)
    return malformedHead('target', 'The target is not a path. Start it with /.');
  const [, authority, rest = '/'] = absolute;
  if (g.hostCount !== 1 || authority?.toLowerCase() !== g.host.toLowerCase()) {
    return malformedHead('target', 'The target names another host than the Host header.');
  }
  if (rest.startsWith('//')) return malformedHead('target', 'The target starts with two slashes.');
  return ok(rest.startsWith('?') ? `/${rest}` : rest);
}

function checkHost(head: RequestHead, g: HeaderLines, path: string, rules: HeadRules) {
  if (g.hostCount === 0 && head.httpVersion === '1.0' && path === '/health') return undefined;
  if (g.hostCount !== 1) {
    return refuseHead('host', 'invalid_host', `${g.hostCount} Host headers were sent. Send one.`)
      .error;
  }
  switch (judgeHost(g.host, rules.allowedHosts)) {
    case 'allowed':
      return undefined;
    case 'malformed':
      return refuseHead('host', 'invalid_host', 'Host is not one host name with an optional port.')
        .error;
    case 'foreign':
      return refuseHead(
        'host_not_allowed',
        'misdirected_request',
        'The Host header names a host that this installation does not answer for. ' +
          'Use one of its names, or add the name to the allowed hosts.',
      ).error;
  }
}

function checkLine(head: RequestHead, rules: HeadRules): HeadRefusal | undefined {
  if (head.target.length > rules.targetBytesMax) {
    return refuseHead(
      'target_too_long',
      'uri_too_long',
      `The target is ${head.target.length} bytes long, the limit is ${rules.targetBytesMax}.`,
    ).error;
  }
  if (head.httpVersion !== '1.1' && head.httpVersion !== '1.0') {
    return malformedHead('version', 'The version is not HTTP/1.0 or HTTP/1.1.').error;
  }
  return undefined;
}

/**
 * Checks one request head and gives the facts that the pipeline needs of it.
 * The order of refusals is: size, version, framing, target, Host, expectation, path.
 */
export function checkHead(head: RequestHead, rules: HeadRules): Result<HeadFacts, HeadRefusal> {
  const lineFault = checkLine(head, rules);
  if (lineFault !== undefined) return err(lineFault);
  const gathered = gatherLines(
    head.rawHeaders,
    // `METHOD target HTTP/1.1` and CR LF.
    head.method.length + head.target.length + 12,
    rules,
  );
  if (!gathered.ok) return gathered;
  const g = gathered.value;
  const framing = checkFraming(head, g, rules.bodyBytesMax);
  if (!framing.ok) return framing;
  const origin = originForm(head.target, g);
  if (!origin.ok) return origin;
  const target = canonicalPath(origin.value);
  const hostFault = checkHost(head, g, target.ok ? target.value.path : '', rules);
  if (hostFault !== undefined) return err(hostFault);
  if (g.expect !== undefined && g.expect.toLowerCase() !== '100-continue') {
    return refuseHead(
      'expect',
      'expectation_failed',
      'The only expectation met here is 100-continue.',
    );
  }
  const annotations = checkAnnotations(g.annotations);
  if (!annotations.ok) return annotations;
  // A body that nobody will read makes the connection useless for a next request.
  if (!target.ok) return err({ ...target.error, close: hasBody(framing.value), kind: 'path' });
  return ok(factsOf(g, target.value, framing.value, annotations.value));
}

function factsOf(
  g: HeaderLines,
  target: { readonly path: string; readonly query: string },
  framing: Framing,
  annotations: readonly Annotation[] | undefined,
): HeadFacts {
  return {
    path: target.path,
    query: target.query,
    host: g.host.toLowerCase(),
    contentLength: framing.contentLength,
    chunked: framing.chunked,
    authorization: g.authorization,
    authorizationCount: g.authorizationCount,
    xApiKey: g.xApiKey,
    xApiKeyCount: g.xApiKeyCount,
    contentType: g.contentType,
    contentTypeCount: g.contentTypeCount,
    contentEncoding: g.contentEncoding,
    expectContinue: g.expect !== undefined,
    cookie: g.cookie,
    origin: g.origin,
    secFetchSite: g.secFetchSite,
    csrf: g.csrf,
    accept: g.accept,
    upgrade: g.upgrade,
    idempotencyKey: g.idempotencyKey,
    clientRequestId: acceptRequestId(g.clientRequestId) ?? acceptRequestId(g.requestId),
    priority: g.priority ?? g.priorityAlias,
    affinity: g.affinity ?? g.affinityAlias,
    region: acceptRequestId(g.region),
    mayUseLowerTier: g.flexible === 'true' && g.strict !== 'true',
    mayShadow: g.noShadow !== 'true',
    annotations,
    traceparent: g.traceparentCount === 1 ? acceptTraceparent(g.traceparent) : undefined,
  };
}
