// RD1 to RD8 and RD10, on the events by which the fleet travels to the gateways and on the decisions
// as they are made. What is expected is worked out here in the plainest way, from the events alone.

import type { Json } from '../../../src/base/canonical.ts';
import type { ReplayEvent } from '../../../src/core/resilience/replay-event.ts';
import { type Decision, decide } from '../../../src/core/routing/decide.ts';
import {
  type CounterSource,
  type DecideInput,
  type Reading,
  type RouteFeatures,
  unread,
} from '../../../src/core/routing/decision-input.ts';
import type {
  RoutingSettings,
  RoutingSnapshot,
  Target,
} from '../../../src/core/routing/snapshot.ts';
import type { Chance } from '../environment/chance.ts';
import type { Parts } from '../parts.ts';
import { demand } from './violation.ts';

type State = { readonly targets: readonly Target[]; readonly settings: RoutingSettings };

/** Of so many decisions one is made a second time on the spot. */
const sampling = 8;

/** Per id the event with the highest sequence, ascending: what a history amounts to. */
function stateOf<E extends ReplayEvent>(events: readonly E[]): readonly E[] {
  const newest = new Map<string, E>();
  for (const event of events) {
    const known = newest.get(event.id);
    if (known === undefined || event.sequence > known.sequence) newest.set(event.id, event);
  }
  return [...newest.values()].sort((a, b) => a.sequence - b.sequence);
}

function sequences(events: readonly ReplayEvent[]): string {
  return events.map(({ id, sequence }) => `${id}@${sequence}`).join(' ');
}

const nothing: Reading = {
  isCurrent: false,
  statusCode: 0,
  pending: 0,
  capacity: 0,
  latencyMs: 0,
  ...unread,
};

/** The readings of one decision, as a source that nobody writes to. */
function recorded(decision: Decision): CounterSource {
  const bySlot = new Map(decision.considered.map((item) => [item.target.slot, item]));
  return { read: ({ target: { slot } }) => bySlot.get(slot)?.reading ?? nothing };
}

export class ReplayChecker {
  readonly #parts: Parts;
  readonly #versions = [0, 0, 0];
  readonly #published = new Map<number, State>();
  #newest = 0;
  #decisions = 0;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  get decisions(): number {
    return this.#decisions;
  }

  /** The control node begins another life: versions count from the start. */
  forgetVersions(): void {
    this.#published.clear();
    this.#newest = 0;
  }

  started(thread: number): void {
    this.#versions[thread] = 0;
  }

  published(version: number, targets: readonly Target[], settings: RoutingSettings): void {
    demand('RD4', version > this.#newest, () => `version ${version} after ${this.#newest}`);
    this.#newest = version;
    const byId = [...targets].sort((a, b) => (a.id < b.id ? -1 : 1));
    this.#published.set(version, { targets: byId, settings });
    if (version % sampling === 0) this.#checkCanonical(settings);
  }

  /** One text for one value, whatever the order of its members (RD10). */
  #checkCanonical(settings: RoutingSettings): void {
    const { strategy, maxRetries } = settings;
    const one: Json = { strategy, maxRetries, none: undefined, share: 0.1 };
    const other: Json = { share: 0.1, maxRetries, strategy };
    const text = this.#parts.canonicalJson(one);
    const expected = `{"maxRetries":${maxRetries},"share":0.1,"strategy":"${strategy}"}`;
    demand('RD10', text === expected, () => `${text} instead of ${expected}`);
    demand('RD10', text === this.#parts.canonicalJson(other), () => `two texts for ${text}`);
    const digest = this.#parts.sha256Hex(text);
    demand('RD10', /^[0-9a-f]{64}$/.test(digest), () => `${digest} is no digest`);
  }

  /** A copy applies events: ascending, and each once. */
  applies(thread: number, version: number, events: readonly ReplayEvent[], isWhole: boolean): void {
    let last = isWhole ? 0 : version;
    for (const { id, sequence } of events) {
      const place = `thread ${thread}: ${id}@${sequence} after ${last}`;
      demand('RD4', sequence > last || sequence === version, () => `${place}: not in order`);
      demand('RD2', sequence !== last, () => `${place}: applied twice`);
      demand(
        'RD3',
        isWhole || sequence === last + 1,
        () => `${place}: something between is missing`,
      );
      last = sequence;
    }
  }

  /** The copy has another snapshot: exactly what was published under that version (RD3). */
  rebuilt(thread: number, snapshot: RoutingSnapshot): void {
    const { version } = snapshot;
    const before = this.#versions[thread] ?? 0;
    demand('copies', version >= before, () => `thread ${thread} goes from ${before} to ${version}`);
    this.#versions[thread] = version;
    const published = this.#published.get(version);
    demand('copies', published !== undefined, () => `version ${version} was never published`);
    if (published === undefined) return;
    const words = () => `thread ${thread} differs from what version ${version} was published as`;
    demand('RD3', snapshot.settings === published.settings, words);
    demand('RD3', snapshot.targets.length === published.targets.length, words);
    for (const [index, target] of snapshot.targets.entries()) {
      const other = published.targets[index];
      const isSame =
        other !== undefined &&
        target.id === other.id &&
        target.status === other.status &&
        target.statusReason === other.statusReason &&
        target.slot === other.slot &&
        target.generation === other.generation &&
        target.priority === other.priority;
      demand('RD3', isSame, () => `${words()}: ${target.id}`);
    }
  }

  /** A request begins: with the newest snapshot that its thread has. */
  began(thread: number, version: number): void {
    const newest = this.#versions[thread] ?? 0;
    demand('copies', version === newest, () => {
      return `a request of thread ${thread} begins with version ${version}, the thread has ${newest}`;
    });
  }

  compacted(all: readonly ReplayEvent[], kept: readonly ReplayEvent[]): void {
    const expected = sequences(stateOf(all));
    const found = sequences(kept);
    demand('RD6', found === expected, () => `compaction keeps ${found} instead of ${expected}`);
  }

  /** A window asked for: closed on both ends (RD5). */
  windowed(
    all: readonly ReplayEvent[],
    from: number,
    to: number,
    found: readonly ReplayEvent[],
  ): void {
    let expected = 0;
    for (const { sequence } of all) if (sequence >= from && sequence <= to) expected++;
    const isInside = found.every(({ sequence }) => sequence >= from && sequence <= to);
    demand('RD5', isInside && found.length === expected, () => {
      return `the window ${from}..${to} has ${sequences(found)}, ${expected} are in it`;
    });
  }

  /** A decision was made: from what it was given and nothing else (RD8). */
  decided(
    snapshot: RoutingSnapshot,
    features: RouteFeatures,
    input: DecideInput,
    decision: Decision,
  ): void {
    if (this.#decisions++ % sampling !== 0) return;
    const again = decide(snapshot, recorded(decision), features, input);
    demand('RD8', outcomeOf(again) === outcomeOf(decision), () => {
      return `made again: ${outcomeOf(again)}, was ${outcomeOf(decision)}`;
    });
  }

  /** The end: what held of every step holds of whole histories (RD1, RD2, RD3, RD6, RD7). */
  atEnd(histories: readonly (readonly ReplayEvent[])[], chance: Chance): void {
    const [control] = histories;
    if (control === undefined) return;
    const parts = this.#parts;
    const state = textOf(parts.replay(control));
    const shuffled = textOf(parts.replay(chance.shuffled(control)));
    demand('RD1', shuffled === state, () => `shuffled: ${shuffled}, in order: ${state}`);
    const replayed = parts.replay(control);
    const again = replayed.ok ? textOf(parts.replay(replayed.value)) : '';
    demand('RD2', again === state, () => `of its replay: ${again}, of itself: ${state}`);
    const doubled = textOf(parts.replay([...control, ...chance.shuffled(control)]));
    demand('RD2', doubled === state, () => `delivered twice: ${doubled}, once: ${state}`);
    demand('RD1', state === sequences(stateOf(control)), () => `the state is ${state}`);
    const compacted = parts.compact(control);
    const kept = compacted.ok ? textOf(parts.replay(compacted.value)) : '';
    demand('RD6', kept === state, () => `of the compacted: ${kept}, of the whole: ${state}`);
    const middle = control[Math.floor(control.length / 2)]?.sequence ?? 0;
    this.#checkCheckpoint(control, middle, state);
    for (const [thread, history] of histories.slice(1).entries()) {
      const isEqual = parts.replayConverges(control, history);
      demand(
        'RD3',
        isEqual,
        () => `thread ${thread} has ${sequences(stateOf(history))}, not ${state}`,
      );
    }
    this.#checkKeepRules(control, chance);
  }

  #checkCheckpoint(history: readonly ReplayEvent[], at: number, state: string): void {
    const parts = this.#parts;
    const first = history.filter(({ sequence }) => sequence <= at);
    const applied = new Set(first.map(({ sequence }) => sequence));
    const base = parts.replay(first);
    const rest = parts.pendingEvents(history, applied);
    const resumed = base.ok ? textOf(parts.replay([...base.value, ...rest])) : '';
    demand('RD6', resumed === state, () => `from a checkpoint at ${at}: ${resumed}, not ${state}`);
  }

  /** Four keep rules, each its own (RD7): highest sequence, first arrival, earliest, first stream. */
  #checkKeepRules(history: readonly ReplayEvent[], chance: Chance): void {
    const parts = this.#parts;
    const arrivals = chance.shuffled(history);
    const firsts = new Map<string, number>();
    for (const { id, sequence } of arrivals) if (!firsts.has(id)) firsts.set(id, sequence);
    const kept = parts.dedupeFirst(arrivals);
    const isFirst = kept.every(({ id, sequence }) => firsts.get(id) === sequence);
    demand(
      'RD7',
      isFirst && kept.length === firsts.size,
      () => `first arrivals: ${sequences(kept)}`,
    );
    const timed = history.map(({ id, sequence }) => ({
      id,
      timestamp: 1_000_000 - sequence,
      kind: 'fleet',
      payload: sequence,
    }));
    const earliest = parts.dedupeKeepEarliest(timed);
    const newest = new Map(stateOf(history).map(({ id, sequence }) => [id, sequence]));
    const isEarliest = earliest.every(({ id, payload }) => newest.get(id) === payload);
    demand('RD7', isEarliest && earliest.length === newest.size, () => 'not the earliest of an id');
    const ascends = earliest.every(
      ({ timestamp }, index) => index === 0 || (earliest[index - 1]?.timestamp ?? 0) <= timestamp,
    );
    demand('RD4', ascends, () => 'a timeline without duplicates is out of order');
    const mine = timed.slice(0, 3).map((event) => ({ ...event, kind: 'mine' }));
    const merged = parts.mergeDedupe(mine, timed);
    const fromFirst = new Set(mine.map(({ id }) => id));
    const isMine = merged.every(({ id, kind }) => (kind === 'mine') === fromFirst.has(id));
    demand('RD7', isMine, () => 'a merge does not keep the first stream');
  }
}

function outcomeOf(decision: Decision): string {
  if (decision.kind === 'refuse') return `refuse ${decision.refusal.code}`;
  return `${decision.target.id} ${decision.routeReason} ${decision.reason}`;
}

function textOf(
  state: { readonly ok: true; readonly value: readonly ReplayEvent[] } | { readonly ok: false },
): string {
  return state.ok ? sequences(state.value) : 'refused';
}
