// The address of a backend as an operator wrote it: checked as text first, so that no two programs
// can read it differently, and brought to the one form that the registry stores (security 2.5, BR 7.1).
//
// The form is `scheme://host[:port][/path]`: lower-case host, no default port, no trailing slash and
// no `/v1`, which adapters add themselves. Invariants of an accepted text:
//   I1  The WHATWG parser, given the result, prints the result again.
//   I2  The result is a fixed point: canonicalising it changes nothing.
//   I3  No class of address that is always refused is named by it, in any notation.
// Names are resolved later and judged again, answer by answer, at each connection.

// It stands in base because the configuration and the registry judge by the same rule.

import {
  type AddressRefusal,
  embeddedIpv4,
  isLoopbackAddress,
  parseIpv4,
  parseIpv6,
  refuseAddress,
} from './network-address.ts';
import { err, ok, type Result } from './result.ts';

/** A socket that this installation listens on; a backend there would be ourselves. */
export type OwnListener = { readonly address: string; readonly port: number };

const urlLengthMax = 2048;

const metadataNames: ReadonlySet<string> = new Set([
  'metadata',
  'metadata.google.internal',
  'metadata.goog',
  'instance-data',
  'instance-data.ec2.internal',
  'metadata.azure.com',
  'metadata.azure.internal',
  'metadata.platformequinix.com',
  'metadata.packet.net',
  'metadata.tencentyun.com',
]);

const addressWords: Readonly<Record<AddressRefusal, string>> = {
  not_an_address: 'it is not a complete IP address',
  unspecified: 'it names no machine',
  multicast: 'it is a multicast address',
  broadcast: 'it is the broadcast address',
  link_local: 'it is a link-local address',
  metadata: 'it is the metadata service of a cloud',
  reserved: 'the address is reserved',
};

const embeddedWords = 'it hides an IPv4 address; write that address itself';

type Parts = {
  readonly scheme: 'http' | 'https';
  /** Lower case; an IPv6 address stands in brackets. */
  readonly host: string;
  readonly port: number;
  readonly path: string;
};

const shape =
  /^(https?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,6}))?((?:\/[A-Za-z0-9._~-]*)*)$/;

/** Words for the faults that people make, before the general answer. */
function faultOfText(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > urlLengthMax) return `it is longer than ${urlLengthMax} characters`;
  if (/[^\x21-\x7e]/.test(text)) return 'it holds a space, a control or a non-ASCII character';
  if (!/^https?:\/\//i.test(text)) return 'it must begin with http:// or https://';
  if (text.includes('\\')) return 'it holds a backslash';
  if (text.includes('@')) return 'it holds a user name or password; use api_key_env';
  if (text.includes('%')) return 'it holds a percent escape';
  if (text.includes('?') || text.includes('#')) return 'it holds a query or a fragment';
  return undefined;
}

function splitParts(text: string): Parts | undefined {
  const authorityEnd = text.indexOf('/', text.indexOf('://') + 3);
  const end = authorityEnd === -1 ? text.length : authorityEnd;
  // Scheme and host are the same in either case for every parser; paths are not.
  const match = shape.exec(text.slice(0, end).toLowerCase() + text.slice(end));
  if (match === null) return undefined;
  const [, scheme, host, portText, path] = match;
  if (host === undefined || (scheme !== 'http' && scheme !== 'https')) return undefined;
  const isDecimal = portText === undefined || /^[1-9][0-9]{0,4}$/.test(portText);
  const port = portText === undefined ? (scheme === 'http' ? 80 : 443) : Number(portText);
  if (!isDecimal || port > 65_535) return undefined;
  return { scheme, host, port, path: path ?? '' };
}

function faultOfName(host: string): string | undefined {
  const labels = host.split('.');
  if (host.length > 253) return 'the host name is too long';
  if (!labels.every((label) => /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(label))) {
    return 'the host name is malformed';
  }
  // A last label of digits makes every parser try an IPv4 address, each with its own notations.
  if (/^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) ?? '')) {
    return 'an IPv4 address has four decimal parts without leading zeros';
  }
  return metadataNames.has(host) ? addressWords.metadata : undefined;
}

function faultOfHost(host: string): string | undefined {
  if (host.startsWith('[')) {
    const groups = parseIpv6(host.slice(1, -1));
    if (groups === undefined) return 'the IPv6 address is malformed';
    if (embeddedIpv4(groups) !== undefined) return embeddedWords;
    const fault = refuseAddress(host.slice(1, -1));
    return fault === undefined ? undefined : addressWords[fault];
  }
  if (parseIpv4(host) === undefined) return faultOfName(host);
  const fault = refuseAddress(host);
  return fault === undefined ? undefined : addressWords[fault];
}

function faultOfPath(path: string): string | undefined {
  const trimmed = path.replace(/\/+$/, '');
  if (trimmed.includes('//')) return 'the path holds an empty segment';
  const segments = trimmed.split('/');
  return segments.includes('.') || segments.includes('..')
    ? 'the path holds a dot segment'
    : undefined;
}

/** Equal, or one loopback against another; a listener on every address is on loopback too. */
function isOwn(parts: Parts, own: OwnListener): boolean {
  if (parts.port !== own.port) return false;
  const host = parts.host.startsWith('[') ? parts.host.slice(1, -1) : parts.host;
  if (host === own.address.toLowerCase()) return true;
  const namesLoopback =
    host === 'localhost' || host.endsWith('.localhost') || isLoopbackAddress(host);
  const listensOnLoopback =
    own.address === 'localhost' ||
    isLoopbackAddress(own.address) ||
    refuseAddress(own.address) === 'unspecified';
  return namesLoopback && listensOnLoopback;
}

/** The path without trailing slashes and without the `/v1` that adapters add. */
function rootPath(path: string): string {
  let root = path.replace(/\/+$/, '');
  while (root.endsWith('/v1')) root = root.slice(0, -3).replace(/\/+$/, '');
  return root;
}

function printed(parts: Parts): string {
  const isDefaultPort = parts.port === (parts.scheme === 'http' ? 80 : 443);
  const port = isDefaultPort ? '' : `:${parts.port}`;
  return `${parts.scheme}://${parts.host}${port}${rootPath(parts.path)}`;
}

/** What the platform's own parser makes of the result, without the slash it adds to a bare host. */
function asParsed(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  return new URL(url).href.replace(/\/$/, '');
}

/**
 * The canonical base URL of a backend, or the words that say what is wrong with the text.
 * `ownListeners` are this installation's sockets; list every own address when one listens on all.
 */
export function canonicalBackendUrl(
  text: string,
  ownListeners: readonly OwnListener[],
): Result<string, string> {
  const textFault = faultOfText(text);
  if (textFault !== undefined) return err(textFault);
  const parts = splitParts(text);
  if (parts === undefined) return err('it is not of the form http://host:port/path');
  const fault = faultOfHost(parts.host) ?? faultOfPath(parts.path);
  if (fault !== undefined) return err(fault);
  if (ownListeners.some((own) => isOwn(parts, own))) return err('it is TensorForge itself');
  const url = printed(parts);
  const parsed = asParsed(url);
  if (parsed === undefined) return err('it cannot be parsed');
  if (parsed !== url) return err(`programs read it differently; write ${parsed}`);
  return ok(url);
}
