// Runs small programs over a shared structure in every order of their memory steps. The structure
// knows memory by the port `Words` only; here each step of the port belongs to a thread, and the
// explorer decides whose step is next.
//
// A thread is not a thread but a function that is run again from its beginning for each further
// step: steps that it has made before are answered from its log, one new step is made, and the next
// one throws it out. Since it is deterministic, its log says all about where it stands. Two
// schedules that lead to the same memory, the same logs and the same order of whole operations go
// on alike, so the second is not followed.
//
// At every point it is also asked what happens when all threads but one stop for ever: the one must
// come to its end within a bounded number of its own steps.

import { createHash } from 'node:crypto';
import type { Words } from '../words.ts';
import type { History, Operation } from './linearizability.ts';

/** What one thread does. */
export type Program<Call, Answer> = {
  /** Attaches to the structure and perhaps prepares it: not interleaved, in the order of threads. */
  readonly open: (words: Words) => (call: Call) => Answer;
  readonly calls: readonly Call[];
};

export type Exploration<Call, Answer> = {
  /** The memory with the structure in it. */
  readonly memory: Int32Array;
  readonly programs: readonly Program<Call, Answer>[];
  /** Called with the memory after every step. */
  readonly inspect: (memory: Int32Array) => void;
  /** Called with the history of every complete run, and of every run in which all but one stop. */
  readonly judge: (history: History<Call, Answer>) => void;
  /** Steps within which a thread that runs alone must end. */
  readonly stepsAlone: number;
  /**
   * How often at most a thread is interrupted that could go on; all schedules when left out. Nearly
   * every fault of such programs needs no more than two interruptions (M. Musuvathi, S. Qadeer,
   * "Iterative Context Bounding for Systematic Testing of Multithreaded Programs", 2007).
   */
  readonly interruptionsMax?: number;
};

export type Explored = { readonly states: number; readonly runs: number };

class Suspended extends Error {}

/** An operation with the number of steps of its thread before its first and after its last one. */
type Stretch<Call, Answer> = {
  readonly call: Call;
  readonly begun: number;
  readonly ended: { readonly steps: number; readonly answer: Answer } | undefined;
};

type Replay<Call, Answer> = {
  readonly opened: boolean;
  readonly finished: boolean;
  readonly stretches: readonly Stretch<Call, Answer>[];
};

/** Runs a program from its beginning; `budget` steps beyond the log are made on the memory. */
function replay<Call, Answer>(
  program: Program<Call, Answer>,
  log: number[],
  memory: Int32Array,
  budget: number,
): Replay<Call, Answer> {
  let cursor = 0;
  let left = budget;
  const step = (make: () => number): number => {
    if (cursor === log.length) {
      if (left === 0) throw new Suspended();
      left -= 1;
      log.push(make());
    }
    cursor += 1;
    return log[cursor - 1] ?? 0;
  };
  const stretches: Stretch<Call, Answer>[] = [];
  let opened = false;
  try {
    const perform = program.open(steppedWords(memory, step));
    opened = true;
    for (const call of program.calls) {
      stretches.push({ call, begun: cursor, ended: undefined });
      const answer = perform(call);
      stretches[stretches.length - 1] = {
        call,
        begun: stretches.at(-1)?.begun ?? 0,
        ended: { steps: cursor, answer },
      };
    }
    return { opened, finished: true, stretches };
  } catch (error) {
    if (!(error instanceof Suspended)) throw error;
    return { opened, finished: false, stretches };
  }
}

function steppedWords(memory: Int32Array, step: (make: () => number) => number): Words {
  const at = (index: number): number => memory[index] ?? Number.NaN;
  return {
    load: (index) => step(() => at(index)),
    glance: (index) => step(() => at(index)),
    store: (index, value) => void step(() => write(memory, index, value)),
    scribble: (index, value) => void step(() => write(memory, index, value)),
    compareExchange: (index, expected, next) =>
      step(() => {
        if (at(index) !== (expected | 0)) return 0;
        return 1 + write(memory, index, next);
      }),
    compareExchange64: (index, expectedLow, expectedHigh, low, high) =>
      step(() => {
        if (at(index) !== (expectedLow | 0) || at(index + 1) !== (expectedHigh | 0)) return 0;
        return 1 + write(memory, index, low) + write(memory, index + 1, high);
      }),
    pause: () => undefined,
  };
}

function write(memory: Int32Array, index: number, value: number): 0 {
  memory[index] = value;
  return 0;
}

/** A point of the search. */
type Point<Call, Answer> = {
  readonly memory: Int32Array;
  readonly logs: readonly (readonly number[])[];
  readonly replays: readonly Replay<Call, Answer>[];
  /** The thread of each step so far. */
  readonly schedule: readonly number[];
  /** The thread of the last step; none before the first that was chosen. */
  readonly last: number | undefined;
  readonly interruptions: number;
};

/** Visits every reachable point once; throws what `inspect` and `judge` throw. */
export function explore<Call, Answer>(setup: Exploration<Call, Answer>): Explored {
  const threads = [...setup.programs.keys()];
  const start = startOf(setup);
  for (const thread of threads) runAlone(setup, start, thread);
  const seen = new Set<string>();
  const open = [start];
  let runs = 0;
  for (let point = open.pop(); point !== undefined; point = open.pop()) {
    const nexts = threads.flatMap((thread) => successor(setup, point, thread) ?? []);
    if (nexts.length === 0 && point.replays.every(({ finished }) => finished)) {
      runs += 1;
      setup.judge(historyOf(point));
    }
    for (const next of nexts) {
      const key = keyOf(setup, next);
      if (seen.has(key)) continue;
      seen.add(key);
      open.push(next);
      if (isSameMemory(point.memory, next.memory)) continue;
      setup.inspect(next.memory);
      for (const thread of threads) if (thread !== next.last) runAlone(setup, next, thread);
    }
  }
  return { states: seen.size, runs };
}

/** The point after one step of the thread, unless it has ended or would interrupt too often. */
function successor<Call, Answer>(
  setup: Exploration<Call, Answer>,
  point: Point<Call, Answer>,
  thread: number,
): Point<Call, Answer> | undefined {
  if (point.replays[thread]?.finished !== false) return undefined;
  const { last } = point;
  // Does another thread than the last one make this step, although the last one could go on?
  const interrupts =
    last !== undefined && last !== thread && point.replays[last]?.finished === false;
  const interruptions = point.interruptions + (interrupts ? 1 : 0);
  if (interruptions > (setup.interruptionsMax ?? Infinity)) return undefined;
  return { ...advance(setup, point, thread, 1), last: thread, interruptions };
}

function startOf<Call, Answer>(setup: Exploration<Call, Answer>): Point<Call, Answer> {
  let point: Point<Call, Answer> = {
    memory: setup.memory,
    logs: setup.programs.map(() => []),
    replays: setup.programs.map((program) => replay(program, [], setup.memory, 0)),
    schedule: [],
    last: undefined,
    interruptions: 0,
  };
  for (const thread of setup.programs.keys()) {
    while (point.replays[thread]?.opened === false) point = advance(setup, point, thread, 1);
  }
  return point;
}

function advance<Call, Answer>(
  setup: Exploration<Call, Answer>,
  point: Point<Call, Answer>,
  thread: number,
  budget: number,
): Point<Call, Answer> {
  const program = setup.programs[thread];
  const log = point.logs[thread]?.slice();
  if (program === undefined || log === undefined) throw new Error(`there is no thread ${thread}`);
  const memory = point.memory.slice();
  const before = log.length;
  const replays = point.replays.with(thread, replay(program, log, memory, budget));
  const made = new Array<number>(log.length - before).fill(thread);
  const schedule = [...point.schedule, ...made];
  return { ...point, memory, logs: point.logs.with(thread, log), replays, schedule };
}

/** All other threads stop for ever where they are. */
function runAlone<Call, Answer>(
  setup: Exploration<Call, Answer>,
  point: Point<Call, Answer>,
  thread: number,
): void {
  const alone = advance(setup, point, thread, setup.stepsAlone);
  if (alone.replays[thread]?.finished !== true) {
    throw new Error(`thread ${thread} does not end alone after ${point.schedule.join('')}`);
  }
  setup.inspect(alone.memory);
  setup.judge(historyOf(alone));
}

function isSameMemory(one: Int32Array, other: Int32Array): boolean {
  return one.every((word, index) => word === other[index]);
}

/** Times of the history: 2 i at the begin of step i, 2 i + 1 at its end. */
function historyOf<Call, Answer>(point: Point<Call, Answer>): History<Call, Answer> {
  const stepTimes: number[][] = point.replays.map(() => []);
  for (const [at, thread] of point.schedule.entries()) stepTimes[thread]?.push(at);
  return point.replays.map(({ stretches }, thread) =>
    stretches.flatMap(({ call, begun, ended }): readonly Operation<Call, Answer>[] => {
      const first = stepTimes[thread]?.[begun];
      if (first === undefined) return []; // Not one step yet: as if it had not been called.
      if (ended === undefined) return [{ call, invoked: 2 * first }];
      const last = stepTimes[thread]?.[ended.steps - 1] ?? first;
      const returned = { at: 2 * last + 1, answer: ended.answer };
      return [{ call, invoked: 2 * first, returned }];
    }),
  );
}

/** Memory, logs, and for each operation how many of each thread had ended when it began. */
function keyOf<Call, Answer>(setup: Exploration<Call, Answer>, point: Point<Call, Answer>): string {
  const history = historyOf(point);
  const endedBefore = (time: number): readonly number[] =>
    history.map((others) => others.filter(({ returned }) => returned && returned.at < time).length);
  const order = history.flatMap((operations) =>
    operations.map(({ invoked }) => endedBefore(invoked)),
  );
  const bounds = setup.interruptionsMax === undefined ? [] : [point.interruptions, point.last];
  const hash = createHash('sha1').update(point.memory);
  for (const log of point.logs) hash.update(Int32Array.of(log.length, ...log));
  return hash.update(JSON.stringify([order, bounds])).digest('base64');
}
