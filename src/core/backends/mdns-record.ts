// What an announcement on the local network comes to: records of DNS service discovery (RFC 6763, over
// multicast DNS, RFC 6762) in, a candidate for the registry out. Anybody on the network can announce
// anything, so every text is judged before it is kept, and a record of another shape is passed over.
//
// Invariants
//   I1  Nothing here throws, whatever it is given.
//   I2  The address of a candidate is canonical, is one that may be contacted, and is loopback only
//       when the announcement came from this machine (ruling R7).
//   I3  Name and version of a candidate are printable ASCII; its instance holds no control character.
// An announcement says nothing about trust: a candidate is somebody who may be asked for its shape.

import type { BackendType } from '../../base/backend-type.ts';
import { canonicalBackendUrl } from '../../base/backend-url.ts';
import { type Fault, fault } from '../../base/fault.ts';
import { isLoopbackAddress, parseIpv4, refuseAddress } from '../../base/network-address.ts';
import { err, ok, type Result } from '../../base/result.ts';

/** Texts of one announcement, bytes (security 2.10). */
export const textBytesMax = 1300;
const nameCharsMax = 255;
const labelCharsMax = 64;
const versionCharsMax = 32;

/** The recognised texts of an announcement, by lower-case key; of a repeated key the first counts. */
export type AnnouncedText = {
  readonly bytes: number;
  readonly values: ReadonlyMap<string, string>;
};

/** A record that was understood. Names have no trailing dot and keep their case. */
export type MdnsRecord = {
  readonly name: string;
  readonly ttlS: number;
  readonly flush: boolean;
} & (
  | { readonly kind: 'pointer'; readonly target: string }
  | { readonly kind: 'server'; readonly target: string; readonly port: number }
  | { readonly kind: 'text'; readonly text: AnnouncedText }
  | { readonly kind: 'address'; readonly address: string }
);

/** Everything that is known of one announced instance. */
export type Announcement = {
  /** Its full name, such as `My box._ollama._tcp.local`. */
  readonly instance: string;
  /** Lower case, without a trailing dot, such as `_ollama._tcp.local`. */
  readonly service: string;
  /** 1 to 65535, else it is refused. */
  readonly port: number;
  readonly text: AnnouncedText | undefined;
  /** In the order of announcement. */
  readonly addresses: readonly string[];
};

/** Where the packets came from. */
export type Origin = {
  /** The IP address of the sender. */
  readonly source: string;
  readonly isThisMachine: boolean;
};

/** An announced backend that may be listed. */
export type Candidate = {
  readonly instance: string;
  readonly name: string;
  /** Canonical base URL. */
  readonly url: string;
  readonly type: BackendType;
  readonly version: string | undefined;
};

export type CandidateFault = Fault<'announcement_refused' | 'announcement_without_address'>;

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  return Reflect.get(value, name);
}

function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value.length > nameCharsMax + 1) return undefined;
  const name = value.endsWith('.') ? value.slice(0, -1) : value;
  return name === '' ? undefined : name;
}

function textOf(value: unknown): AnnouncedText | undefined {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const values = new Map<string, string>();
  let bytes = 0;
  for (const part of parts) {
    if (!(part instanceof Uint8Array)) return undefined;
    bytes += part.length + 1;
    if (bytes > textBytesMax) continue;
    const text = String.fromCharCode(...part);
    const equals = text.indexOf('=');
    const key = (equals === -1 ? text : text.slice(0, equals)).toLowerCase();
    if (!values.has(key)) values.set(key, equals === -1 ? '' : text.slice(equals + 1));
  }
  return { bytes, values };
}

function understood(raw: unknown): MdnsRecord | undefined {
  const name = nameOf(memberOf(raw, 'name'));
  const ttl = memberOf(raw, 'ttl');
  if (name === undefined || typeof ttl !== 'number' || !(ttl >= 0)) return undefined;
  const common = { name, ttlS: Math.trunc(ttl), flush: memberOf(raw, 'flush') === true };
  const data = memberOf(raw, 'data');
  switch (memberOf(raw, 'type')) {
    case 'PTR': {
      const target = nameOf(data);
      return target === undefined ? undefined : { ...common, kind: 'pointer', target };
    }
    case 'SRV': {
      const target = nameOf(memberOf(data, 'target'));
      const port = memberOf(data, 'port');
      if (target === undefined || typeof port !== 'number') return undefined;
      return { ...common, kind: 'server', target, port };
    }
    case 'TXT': {
      const text = textOf(data);
      return text === undefined ? undefined : { ...common, kind: 'text', text };
    }
    case 'A':
    case 'AAAA':
      return typeof data === 'string' && data.length <= 45
        ? { ...common, kind: 'address', address: data }
        : undefined;
    default:
      return undefined;
  }
}

/** The records of a decoded packet that are understood, in their order; `raw` may hold anything. */
export function readRecords(raw: readonly unknown[]): readonly MdnsRecord[] {
  return raw.flatMap((one) => {
    try {
      return understood(one) ?? [];
    } catch {
      // A getter or proxy that throws is no record; packets are plain objects.
      return [];
    }
  });
}

const types: ReadonlyMap<string, BackendType> = new Map([
  ['ollama', 'ollama'],
  ['vllm', 'vllm'],
  ['llamacpp', 'llamacpp'],
  ['llama.cpp', 'llamacpp'],
  ['exo', 'exo'],
  ['openai', 'openai'],
  ['lmstudio', 'lmstudio'],
]);

function typeOf({ service, text }: Announcement): BackendType {
  const told = text?.values.get('type')?.toLowerCase();
  if (told !== undefined) return types.get(told) ?? 'generic';
  return service.startsWith('_ollama.') ? 'ollama' : 'generic';
}

/** What stands behind the port, by the path that is announced; `/v1` is what adapters add (BR 7.1). */
const paths: ReadonlyMap<string, string> = new Map([
  ['', ''],
  ['/', ''],
  ['/v1', ''],
  ['/api', '/api'],
]);

function pathOf({ text }: Announcement, type: BackendType): string | undefined {
  const path = paths.get(text?.values.get('api_path') ?? '');
  // Ollama's own interface is below /api, which its adapter adds.
  return type === 'ollama' && path === '/api' ? '' : path;
}

/** Printable ASCII of names, for whatever shows them: `[A-Za-z0-9 ._-]{0,max}`. */
function reduced(text: string, max: number): string {
  return text
    .replaceAll('_', ' ')
    .replace(/[^A-Za-z0-9 ._-]/g, '')
    .trim()
    .slice(0, max)
    .trim();
}

function shown(text: string): string {
  return `"${text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}"`;
}

const uncontrolled = /[\p{C}\p{Zl}\p{Zp}]/u;

function refused(words: string): { readonly ok: false; readonly error: CandidateFault } {
  return err(fault('announcement_refused', words));
}

function faultOfTexts({ instance, service, text, port }: Announcement): string | undefined {
  const where = shown(instance);
  if (uncontrolled.test(instance)) return `${where}: the name holds a control character`;
  if (!instance.toLowerCase().endsWith(`.${service}`)) return `${where} is not of ${service}`;
  if (!Number.isInteger(port) || port < 1 || port > 65_535) {
    return `${where}: port is ${port}, but must be within 1..65535`;
  }
  if (text === undefined) return undefined;
  if (text.bytes > textBytesMax) {
    return `${where}: its texts have ${text.bytes} bytes, but ${textBytesMax} at most are read`;
  }
  const odd = ['type', 'api_path', 'version'].find((key) =>
    /[^\x20-\x7e]/.test(text.values.get(key) ?? ''),
  );
  return odd === undefined ? undefined : `${where}: ${odd} holds a character that is not printable`;
}

/** Why the announcement of this address, among others, makes all of it unbelievable. */
function faultOfAddress(address: string, origin: Origin): string | undefined {
  const fault = refuseAddress(address);
  if (fault === 'link_local') return undefined;
  if (fault !== undefined) return `${shown(address)} is refused: ${fault}`;
  if (isLoopbackAddress(address) && !origin.isThisMachine) {
    return `${shown(address)} is loopback, but the packet came from ${shown(origin.source)}`;
  }
  return undefined;
}

/** First IPv4, else first IPv6 in brackets; link-local ones lead nowhere without their interface. */
function hostOf(addresses: readonly string[]): string | undefined {
  const usable = addresses.filter((address) => refuseAddress(address) === undefined);
  const v4 = usable.find((address) => parseIpv4(address) !== undefined);
  if (v4 !== undefined) return v4;
  const v6 = usable[0];
  return v6 === undefined ? undefined : `[${v6}]`;
}

/**
 * The candidate of a whole announcement (BR 9.1). `announcement_without_address` when no address of
 * it can be used; `announcement_refused` with words that name what was met, for everything else.
 */
export function candidateOf(
  announcement: Announcement,
  origin: Origin,
): Result<Candidate, CandidateFault> {
  const { instance, service, port, text, addresses } = announcement;
  const textFault = faultOfTexts(announcement);
  if (textFault !== undefined) return refused(textFault);
  for (const address of addresses) {
    const words = faultOfAddress(address, origin);
    if (words !== undefined) return refused(`${shown(instance)}: ${words}`);
  }
  const type = typeOf(announcement);
  const path = pathOf(announcement, type);
  if (path === undefined) {
    const met = shown(text?.values.get('api_path') ?? '');
    return refused(`${shown(instance)}: api_path is ${met}, but must be /, /v1 or /api`);
  }
  const host = hostOf(addresses);
  if (host === undefined) {
    const words = `${shown(instance)} has no address that can be used`;
    return err(fault('announcement_without_address', words));
  }
  // Ours alone: a gateway that listens with TLS says so.
  const scheme = text?.values.get('tls') === '1' ? 'https' : 'http';
  const url = canonicalBackendUrl(`${scheme}://${host}:${port}${path}`, []);
  if (!url.ok) return refused(`${shown(instance)}: ${scheme}://${host}:${port}: ${url.error}`);
  const label = instance.slice(0, instance.length - service.length - 1);
  const name = reduced(label, labelCharsMax);
  const version = reduced(text?.values.get('version') ?? '', versionCharsMax);
  return ok({
    instance,
    name: name === '' ? `${type}-${port}` : name,
    url: url.value,
    type,
    version: version === '' ? undefined : version,
  });
}
