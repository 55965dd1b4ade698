// The client of the control API. It finds the installation and its key the way a person on this
// machine expects: the address from --url, TENSORFORGE_URL or the lock of the data directory; the key
// from TENSORFORGE_API_KEY, or the admin key in the data directory - which is sent only to an
// installation on this machine, so that a mistyped --url cannot carry it away.

import { lstatSync, readFileSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { join } from 'node:path';
import type { z } from 'zod';
import { Secret } from '../base/secret.ts';
import type { LockHolder, Machine } from './actions.ts';
import type { Context } from './context.ts';
import { CliFailure, exitCodeOf, exitCodes, remedyOf, usageFailure } from './failure.ts';

export const defaultUrl = 'http://127.0.0.1:8120';
const adminKeyName = 'admin.key';
const answerTimeoutMs = 60_000;
const answerBytesMax = 64 * 1024 * 1024;

export type Installation = {
  readonly url: URL;
  readonly holder: LockHolder | undefined;
  /** Does it run on this machine, as far as its address tells? */
  readonly isLocal: boolean;
};

export type Answer = { readonly status: number; readonly body: string };

function parseUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw usageFailure(`"${text}" is no http:// or https:// address`, `for instance ${defaultUrl}`);
  }
  if (url.username !== '' || url.password !== '') {
    throw usageFailure(
      'the address holds a credential, which every user of this machine could read',
      'put the key into TENSORFORGE_API_KEY',
    );
  }
  return url;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** Where the installation is that this caller means. */
export async function findInstallation(context: Context, machine: Machine): Promise<Installation> {
  const lock = machine.readLock(context.dataDirectory);
  // An address that was given does not need a data directory that can be read.
  const holder = await (context.url === undefined ? lock : lock.catch(() => undefined));
  const announced = holder?.alive === true ? holder.facts['url'] : undefined;
  const own = typeof announced === 'string' && URL.canParse(announced) ? announced : undefined;
  const url = parseUrl(context.url ?? own ?? defaultUrl);
  const isOwn = own !== undefined && new URL(own).origin === url.origin;
  return { url, holder, isLocal: isLoopback(url.hostname) || isOwn };
}

export function adminKeyPath(context: Context): string {
  return join(context.dataDirectory, adminKeyName);
}

/** The admin key of the data directory; undefined when there is none. */
function readAdminKey(context: Context): Secret | undefined {
  const path = adminKeyPath(context);
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return undefined;
    if (!stat.isFile() || (stat.mode & 0o077) !== 0) {
      throw new CliFailure('insecure_file', `${path} can be read by other users; it is not used`, {
        exitCode: exitCodes.failed,
        remedy: `chmod 600 ${path}`,
      });
    }
    return new Secret(readFileSync(path, 'utf8').trim());
  } catch (error) {
    if (error instanceof CliFailure) throw error;
    const words = error instanceof Error ? error.message : String(error);
    throw new CliFailure('credentials_unreadable', `the admin key cannot be read: ${words}`, {
      exitCode: exitCodes.credentialsRefused,
      remedy: 'set TENSORFORGE_API_KEY, or run this as the user who started TensorForge',
      cause: error,
    });
  }
}

export function findKey(context: Context, installation: Installation): Secret | undefined {
  const fromEnv = context.env['TENSORFORGE_API_KEY'] ?? '';
  if (fromEnv.trim() !== '') return new Secret(fromEnv.trim());
  return installation.isLocal ? readAdminKey(context) : undefined;
}

/** What Node says of a certificate whose issuer it does not know. */
const unknownIssuerCodes: readonly string[] = [
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
];

function away(url: URL, error: unknown): CliFailure {
  const cause = error instanceof Error ? error : new Error(String(error));
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : undefined;
  if (code !== undefined && unknownIssuerCodes.includes(code)) {
    const met = `the certificate of ${url.origin} is of an issuer that is not trusted here`;
    return new CliFailure('certificate_untrusted', `${met}: ${cause.message}`, {
      exitCode: exitCodes.away,
      remedy: 'trust it: NODE_EXTRA_CA_CERTS=FILE, the PEM file of that certificate or its issuer',
      cause,
    });
  }
  const words = code === 'ECONNREFUSED' ? 'it refuses connections' : cause.message || String(code);
  return new CliFailure('service_away', `${url.origin} does not answer: ${words}`, {
    exitCode: exitCodes.away,
    remedy:
      'start it: tensorforge up, or say where it is: --url URL; tensorforge doctor looks closer',
    cause,
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response) {
    const bytes = Buffer.from(part);
    size += bytes.length;
    if (size > answerBytesMax) throw new Error(`the answer is larger than ${answerBytesMax} bytes`);
    parts.push(bytes);
  }
  return Buffer.concat(parts).toString('utf8');
}

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Below the address of the installation, with its query. */
  readonly path: string;
  readonly body?: unknown;
  /** Longest wait for the answer, ms; 60 s when absent. */
  readonly timeoutMs?: number;
};

function send(
  url: URL,
  key: Secret | undefined,
  call: Call,
  limits: Pick<RequestOptions, 'signal' | 'timeout'>,
): Promise<IncomingMessage> {
  const text = call.body === undefined ? undefined : JSON.stringify(call.body);
  const options: RequestOptions = {
    ...limits,
    method: call.method,
    agent: false,
    headers: {
      accept: 'application/json',
      'user-agent': 'tensorforge-cli',
      ...(key === undefined ? {} : { authorization: `Bearer ${key.reveal()}` }),
      ...(text === undefined
        ? {}
        : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    },
  };
  const target = new URL(url.href.replace(/\/+$/, '') + call.path);
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const outgoing = request(target, options, resolve);
    outgoing.on('error', reject);
    outgoing.on('timeout', () => outgoing.destroy(new Error('it has stopped answering')));
    outgoing.end(text);
  });
}

/** One request; rejects with {@link CliFailure} exit 69 when nobody answers in time. */
export async function exchange(
  url: URL,
  key: Secret | undefined,
  call: Call,
  timeoutMs = answerTimeoutMs,
): Promise<Answer> {
  try {
    const response = await send(url, key, call, { signal: AbortSignal.timeout(timeoutMs) });
    return { status: response.statusCode ?? 0, body: await readBody(response) };
  } catch (error) {
    const isLate = error instanceof Error && error.name === 'AbortError';
    throw away(url, isLate ? new Error(`no answer within ${timeoutMs / 1000} s`) : error);
  }
}

/** The value, or undefined for what is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function credentialRemedy(context: Context, installation: Installation): string {
  if (!installation.isLocal) return 'set TENSORFORGE_API_KEY to a key of that installation';
  return `set TENSORFORGE_API_KEY, or run this as the owner of ${adminKeyPath(context)}`;
}

/** The failure that an answer with this status and body means, on either face. */
function refusalOf(answer: Answer, call: Call, context: Context, installation: Installation) {
  const body = parseJson(answer.body);
  const openai = member(body, 'error');
  const reason = asText(member(member(openai, 'context'), 'reason'));
  const code = asText(member(body, 'code')) ?? reason ?? asText(member(openai, 'code'));
  const words = asText(member(body, 'msg')) ?? asText(member(openai, 'message'));
  if (code === undefined || words === undefined) return unexpected(answer, call, installation);
  const exitCode = exitCodeOf(code, answer.status);
  const isUnknown = answer.status === 401;
  const details = member(body, 'details');
  const remedy = isUnknown ? credentialRemedy(context, installation) : remedyOf(code, details);
  return new CliFailure(code, words, { exitCode, remedy, details });
}

function unexpected(answer: Answer, call: Call, installation: Installation): CliFailure {
  return new CliFailure(
    'unexpected_answer',
    `${installation.url.origin} answered ${call.method} ${call.path} with status ${answer.status} and a body that is none of the control API`,
    {
      exitCode: exitCodes.failed,
      remedy: 'is that TensorForge, and of this version? tensorforge status --url URL says',
    },
  );
}

export type Api = {
  readonly installation: Installation;
  /** The checked answer; throws {@link CliFailure} for every other outcome. */
  call<T>(schema: z.ZodType<T>, call: Call): Promise<T>;
  /**
   * Hands the answer on piece by piece, however long it is. Rejects with {@link CliFailure} for a
   * refusal before the first piece, and when the answer breaks off or nothing comes for `timeoutMs`.
   */
  download(call: Call, take: (part: Buffer) => Promise<void>): Promise<void>;
};

/** The installation and its key, found once for a command. */
export async function openApi(context: Context, machine: Machine): Promise<Api> {
  const installation = await findInstallation(context, machine);
  const key = findKey(context, installation);
  return {
    installation,
    async call<T>(schema: z.ZodType<T>, call: Call): Promise<T> {
      const answer = await exchange(installation.url, key, call, call.timeoutMs);
      if (answer.status < 200 || answer.status > 299) {
        throw refusalOf(answer, call, context, installation);
      }
      const outcome = schema.safeParse(answer.body === '' ? null : parseJson(answer.body));
      if (!outcome.success) throw unexpected(answer, call, installation);
      return outcome.data;
    },
    async download(call, take): Promise<void> {
      const { url } = installation;
      const limits = { timeout: call.timeoutMs ?? answerTimeoutMs };
      const parts = await send(url, key, call, limits).catch((error: unknown) => {
        throw away(url, error);
      });
      const status = parts.statusCode ?? 0;
      if (status < 200 || status > 299) {
        throw refusalOf({ status, body: await readBody(parts) }, call, context, installation);
      }
      const pieces = parts[Symbol.asyncIterator]();
      for (;;) {
        // What fails in `take` is none of the connection.
        const part = await pieces.next().catch((error: unknown) => {
          throw away(url, error);
        });
        if (part.done === true) return;
        await take(Buffer.from(part.value));
      }
    },
  };
}
