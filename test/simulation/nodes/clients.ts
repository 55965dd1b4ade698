// Everyone who sends requests to a world: keys and their holders, when requests come, and what the
// clients do. Drawn whole before the world starts, so that faults change nothing of it.

import { isPriorityClass, type PriorityClass } from '../../../src/core/jobs/priority-class.ts';
import { noHints, type RouteFeatures } from '../../../src/core/routing/decision-input.ts';
import type { Chance } from '../environment/chance.ts';
import { gatewayCount } from '../environment/ground.ts';
import { epochMs } from '../environment/node-clock.ts';
import { type Arrival, requestIdOf } from './arrival.ts';
import type { Credential, KeyFacts } from './key-desk.ts';

const startSeconds = epochMs / 1000;

/** A token's last second is asked for on purpose: `short` ends in the middle of a world. */
export const shortTtlSeconds = 301;

/** The keys that exist when a world begins. */
export function firstKeys(): readonly KeyFacts[] {
  const key = (id: string, more: Partial<KeyFacts> = {}): KeyFacts => ({
    id,
    token: `tfk_${id}_5f3c9a77e1b04d26`,
    issuedAt: startSeconds - 7200,
    ttlSeconds: 1_000_000,
    permissions: ['inference:write', 'models:read'],
    addresses: [],
    ...more,
  });
  return [
    key('key-0'),
    key('key-1'),
    key('key-2'),
    key('key-3'),
    key('key-home', { addresses: ['10.0.0.1'] }),
    key('key-read', { permissions: ['models:read'] }),
    key('key-short', { issuedAt: startSeconds - 1, ttlSeconds: shortTtlSeconds }),
  ];
}

const usualKeys = ['key-0', 'key-1', 'key-2', 'key-3'] as const;
const strangePaths = [
  '/v1/../admin',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/a/....//b',
  '/v1/%00',
  '//x\\..\\y',
];

function tokenOf(keys: readonly KeyFacts[], id: string): string {
  return keys.find((key) => key.id === id)?.token ?? '';
}

function usual(chance: Chance, keys: readonly KeyFacts[], keyId: string): Credential {
  return {
    keyId,
    token: tokenOf(keys, keyId),
    address: chance.pick(['10.0.0.1', '10.0.0.7', '192.168.1.20']),
    origin: undefined,
    path: '/v1/chat/completions',
    requestHeader: 'plain',
  };
}

/** One request in fifteen is not what it should be. */
function drawCredential(chance: Chance, keys: readonly KeyFacts[]): Credential {
  const good = usual(chance, keys, chance.pick(usualKeys));
  if (!chance.hits(0.07)) return good;
  return chance.pick<Credential>([
    { ...good, token: '' },
    { ...good, token: '   ' },
    { ...good, token: `${good.token.slice(0, -1)}x` },
    { ...good, keyId: 'key-nobody' },
    usual(chance, keys, 'key-read'),
    { ...usual(chance, keys, 'key-home'), address: '10.0.0.1' },
    { ...usual(chance, keys, 'key-home'), address: '10.0.0.10' },
    { ...good, origin: 'https://tensorforge.internal' },
    { ...good, origin: 'https://tensorforge.internal.evil.example' },
    { ...good, path: chance.pick(strangePaths) },
    { ...good, requestHeader: 'x\r\nset-cookie: y' },
  ]);
}

function drawFeatures(chance: Chance): RouteFeatures {
  const model = chance.pick(['m-a', 'm-a', 'm-a', 'm-b', 'm-b', 'm-c', 'chat', 'chat', 'm-none']);
  return {
    model,
    resolvedModel: model,
    operation: 'chat',
    estimatedTokens: chance.hits(0.02) ? 9000 : chance.between(10, 2000),
    maxOutputTokens: chance.hits(0.5) ? chance.between(16, 512) : undefined,
    needsVision: chance.hits(0.05),
    needsTools: chance.hits(0.1),
    needsJsonMode: false,
    remoteMedia: chance.hits(0.01),
    ...noHints,
  };
}

const classes: readonly PriorityClass[] = [1, 2, 3, 3, 3, 4, 5];

function classOf(chance: Chance): PriorityClass {
  const drawn = chance.pick(classes);
  return isPriorityClass(drawn) ? drawn : 3;
}

/** Requests of one world, numbered as they are drawn. */
export class ClientPlan {
  readonly #chance: Chance;
  readonly #keys: readonly KeyFacts[];
  #next = 0;

  constructor(chance: Chance, keys: readonly KeyFacts[]) {
    this.#chance = chance;
    this.#keys = keys;
  }

  get count(): number {
    return this.#next;
  }

  draw(atMs: number): Arrival {
    return this.#arrival(atMs, drawCredential(this.#chance, this.#keys));
  }

  /** A request with the key whose life ends at a known second. */
  drawShort(atMs: number): Arrival {
    return this.#arrival(atMs, usual(this.#chance, this.#keys, 'key-short'));
  }

  #arrival(atMs: number, credential: Credential): Arrival {
    const index = this.#next++;
    const chance = this.#chance;
    return {
      index,
      requestId: requestIdOf(epochMs + atMs, index),
      gateway: chance.between(0, gatewayCount - 1),
      credential,
      priorityClass: classOf(chance),
      features: drawFeatures(chance),
      bodyMs: chance.between(0, 40),
      chunks: chance.between(1, 3),
      races: chance.hits(0.15),
      patienceMs: chance.hits(0.05) ? chance.between(10, 3000) : undefined,
    };
  }
}
