// Which backends the filters of Fleet let through. The box takes words that must all be found, in any
// order: `llama3` looks at names, addresses, types and models; `type:vllm`, `zone:open`, `model:chat`,
// `state:busy` and `source:mdns` look at one thing; a `-` before a word turns it round. A word whose
// key is not known is a plain word, so that the model `llama3:70b` can be typed as it is.

import type { BackendViewWire } from '../api/wire.ts';
import { backendMark } from '../status/status.ts';
import { sourceOf } from './backend-source.ts';
import type { FleetFilter } from './search.ts';

type Fleet = readonly BackendViewWire[];
type Test = (backend: BackendViewWire) => boolean;

const cloudTypes: ReadonlySet<BackendViewWire['backend_type']> = new Set([
  'openai',
  'anthropic',
  'google',
]);

/** Somebody else's machines, that are paid for by use. */
export function isCloud({ backend_type: type }: Pick<BackendViewWire, 'backend_type'>): boolean {
  return cloudTypes.has(type);
}

const passes: Readonly<Record<FleetFilter, Test>> = {
  '!ok': (backend) => !backend.routable,
  draining: (backend) => backend.status === 'draining',
  cloud: isCloud,
  simulated: (backend) => backend.simulated,
};

export const filterWords: Readonly<Record<FleetFilter, string>> = {
  '!ok': 'takes none',
  draining: 'draining',
  cloud: 'cloud',
  simulated: 'simulated',
};

const modelIds = (backend: BackendViewWire) => backend.models.map(({ id }) => id);

type Texts = (backend: BackendViewWire) => readonly string[];

const textsByKey: ReadonlyMap<string, Texts> = new Map<string, Texts>([
  ['state', (backend) => [backend.status, backendMark(backend).words]],
  ['type', (backend) => [backend.backend_type]],
  ['zone', (backend) => [backend.zone]],
  ['source', (backend) => [sourceOf(backend)]],
  ['model', modelIds],
  ['name', ({ name, id }) => [name, id]],
]);

const anyText: Texts = (backend) => [
  backend.name,
  backend.id,
  backend.url,
  backend.backend_type,
  ...modelIds(backend),
];

/** One word of the box as a test. */
function testOf(word: string): Test {
  const turned = word.startsWith('-') && word.length > 1;
  const plain = (turned ? word.slice(1) : word).toLowerCase();
  const colon = plain.indexOf(':');
  const byKey = textsByKey.get(plain.slice(0, Math.max(0, colon)));
  const texts = byKey ?? anyText;
  const wanted = byKey === undefined ? plain : plain.slice(colon + 1);
  const finds: Test = (backend) =>
    texts(backend).some((text) => text.toLowerCase().includes(wanted));
  return turned ? (backend) => !finds(backend) : finds;
}

export type FleetChoice = {
  readonly state?: FleetFilter | undefined;
  readonly text?: string | undefined;
};

/** The backends that pass both filters, in their order. */
export function filterFleet(fleet: Fleet, { state, text = '' }: FleetChoice): Fleet {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const tests = words.map(testOf);
  if (state !== undefined) tests.push(passes[state]);
  return fleet.filter((backend) => tests.every((test) => test(backend)));
}

/** By name and then by id, whatever state they are in: rows do not move when one changes. */
export function byName(a: BackendViewWire, b: BackendViewWire): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
