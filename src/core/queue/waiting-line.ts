// Who goes next among the requests that found every able backend at its capacity. Pure: it is told
// what time it is, and who was placed; it waits for nobody.
//
// Five rules, one after the other (research on admission: strict bands, then fairness in tokens, then
// the earliest deadline):
//
//   band      the priority class, one higher for every `ageingMs` of waiting, 5 at most
//   group     within a band the group that was given the fewest tokens there
//   key       within a group the key that was given the fewest
//   deadline  within a key who must begin first
//   ticket    among equals who came first
//
// Fairness in tokens is start-time fair queueing (P. Goyal, H. Vin, H. Cheng, "Start-time Fair
// Queuing", SIGCOMM 1996): each band counts the tokens given to each group, and a group that was
// away begins at the band's mark, the start of what was placed last, so that absence earns nothing.
// A deficit round robin shares as evenly, but looking at who is next would spend the turn: here
// looking changes nothing, so a request that is tried in vain keeps its place by itself.
//
// A lane names what can serve a request: two of one lane can be served by the same backends. Whoever
// finds a lane full looks on without it, so that one full model holds up no other.
//
//   W1  looking and trying change nothing; only `join`, `leave` and `placed` do.
//   W2  while two groups wait in one band, what they were given there differs by at most the tokens
//       of their largest request from each. So it is for two keys of a group.
//   W3  a request of class c is in the first band after (5 - c) x `ageingMs`. From then on, of each
//       other group at most one request goes before the first of its group, if that group was given
//       nothing there yet.
//   W4  when nobody waits, nothing is remembered.

import { assert } from '../../base/assert.ts';
import type { PriorityClass } from '../jobs/priority-class.ts';

export type Demand = {
  /** Equal for requests that the same backends can serve. */
  readonly lane: string;
  readonly model: string;
  readonly group: string;
  /** Of the group. */
  readonly key: string;
  readonly priorityClass: PriorityClass;
  /** Prompt and expected output; 0 counts as 1. */
  readonly tokens: number;
  readonly arrivedMs: number;
  /** From then on it has waited too long. */
  readonly leaveByMs: number;
  /** A later begin cannot meet the first token that was asked for; undefined without such a wish. */
  readonly startByMs: number | undefined;
};

export type Place<Who> = {
  readonly who: Who;
  readonly demand: Demand;
  readonly ticket: number;
};

/** Why somebody must leave: waited too long, or cannot begin in time any more. */
export type Overdue = 'time_out' | 'deadline';

const firstBand: PriorityClass = 5;

/** The band of a request at `nowMs`: its class, raised by one for each `ageingMs` that it has waited. */
export function bandOf(demand: Demand, nowMs: number, ageingMs: number): number {
  const steps = Math.floor(Math.max(0, nowMs - demand.arrivedMs) / ageingMs);
  return Math.min(firstBand, demand.priorityClass + steps);
}

/** Tokens given to each of those who share: groups, or the keys of a group. */
class Shares {
  #mark = 0;
  readonly #given = new Map<string, number>();

  startOf(group: string): number {
    return Math.max(this.#mark, this.#given.get(group) ?? 0);
  }

  give(group: string, tokens: number): void {
    const start = this.startOf(group);
    this.#mark = start;
    for (const [name, given] of this.#given) if (given <= start) this.#given.delete(name);
    this.#given.set(group, start + Math.max(1, tokens));
  }
}

/** What was given in one band. */
class BandShares {
  readonly groups = new Shares();
  readonly #keys = new Map<string, Shares>();

  keysOf(group: string): Shares | undefined {
    return this.#keys.get(group);
  }

  give({ group, key, tokens }: Demand): void {
    this.groups.give(group, tokens);
    const keys = this.#keys.get(group) ?? new Shares();
    this.#keys.set(group, keys);
    keys.give(key, tokens);
  }
}

/** Was the group of the one, or its key within one group, given less? Undefined for as much. */
function hasFewer(shares: BandShares, one: Demand, other: Demand): boolean | undefined {
  const isOneGroup = one.group === other.group;
  const among = isOneGroup ? shares.keysOf(one.group) : shares.groups;
  const start = among?.startOf(isOneGroup ? one.key : one.group) ?? 0;
  const otherStart = among?.startOf(isOneGroup ? other.key : other.group) ?? 0;
  return start === otherStart ? undefined : start < otherStart;
}

function dueMs({ startByMs, leaveByMs }: Demand): number {
  return Math.min(startByMs ?? leaveByMs, leaveByMs);
}

export class WaitingLine<Who> {
  readonly #ageingMs: number;
  /** By ticket, so in the order of arrival. */
  readonly #places = new Map<number, Place<Who>>();
  #bands: BandShares[] = [];
  #nextTicket = 0;

  /** `ageingMs` is the time after which a request counts as one class higher; more than 0. */
  constructor(ageingMs: number) {
    assert(ageingMs > 0, `waiting requests age in ${ageingMs} ms`);
    this.#ageingMs = ageingMs;
  }

  get size(): number {
    return this.#places.size;
  }

  /** Everybody who waits, in the order of arrival. */
  places(): readonly Place<Who>[] {
    return [...this.#places.values()];
  }

  join(who: Who, demand: Demand): Place<Who> {
    const place = { who, demand, ticket: this.#nextTicket++ };
    this.#places.set(place.ticket, place);
    return place;
  }

  /** Without having been placed. False when it did not wait any more. */
  leave(place: Place<Who>): boolean {
    const waited = this.#places.delete(place.ticket);
    if (this.#places.size === 0) this.#bands = [];
    return waited;
  }

  /** A backend takes it: its group is charged. Nothing for one that does not wait any more. */
  placed(place: Place<Who>, nowMs: number): void {
    if (!this.#places.has(place.ticket)) return;
    const band = this.bandOf(place, nowMs);
    const shares = this.#bands[band] ?? new BandShares();
    this.#bands[band] = shares;
    shares.give(place.demand);
    this.leave(place);
  }

  bandOf(place: Place<Who>, nowMs: number): number {
    return bandOf(place.demand, nowMs, this.#ageingMs);
  }

  /** Who goes next, of those whose place `mayGo`; undefined when there is none. */
  next(nowMs: number, mayGo: (place: Place<Who>) => boolean): Place<Who> | undefined {
    let first: Place<Who> | undefined;
    for (const place of this.#places.values()) {
      if (!mayGo(place)) continue;
      if (first === undefined || this.#comesBefore(place, first, nowMs)) first = place;
    }
    return first;
  }

  /** Who must leave now, in the order of arrival. */
  overdue(nowMs: number): readonly (readonly [Place<Who>, Overdue])[] {
    const found: (readonly [Place<Who>, Overdue])[] = [];
    for (const place of this.#places.values()) {
      const { leaveByMs, startByMs } = place.demand;
      if (nowMs >= leaveByMs) found.push([place, 'time_out']);
      else if (startByMs !== undefined && nowMs > startByMs) found.push([place, 'deadline']);
    }
    return found;
  }

  #comesBefore(one: Place<Who>, other: Place<Who>, nowMs: number): boolean {
    const band = this.bandOf(one, nowMs);
    const otherBand = this.bandOf(other, nowMs);
    if (band !== otherBand) return band > otherBand;
    const shares = this.#bands[band];
    if (shares !== undefined) {
      const isFirst = hasFewer(shares, one.demand, other.demand);
      if (isFirst !== undefined) return isFirst;
    }
    const due = dueMs(one.demand);
    const otherDue = dueMs(other.demand);
    return due === otherDue ? one.ticket < other.ticket : due < otherDue;
  }
}
