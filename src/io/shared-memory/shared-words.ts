/// <reference lib="esnext.sharedmemory" />
// Memory that several threads share, as the port `Words`; the one file here that touches Atomics.
//
// The steps are the instructions of a tiny WebAssembly module. Atomics on a BigInt64Array would do
// the same without it, but boxes four BigInts for each 64-bit exchange: on the machine of
// docs/benchmarks.md an exchange of two halves takes 15 ns here and 34 ns there, a load 3 ns
// against 10 ns, and a queue operation half as long. The module in the text format, with `i` the
// index of a word:
//
//   (module
//     (import "shared" "memory" (memory 0 65536 shared))
//     (func (export "load") (param $i i32) (result i32)
//       (i32.atomic.load (i32.shl (local.get $i) (i32.const 2))))
//     (func (export "store") (param $i i32) (param $value i32)
//       (i32.atomic.store (i32.shl ...) (local.get $value)))
//     (func (export "compareExchange") (param $i i32) (param $expected i32) (param $next i32)
//       (result i32)
//       (i32.eq (i32.atomic.rmw.cmpxchg (i32.shl ...) (local.get $expected) (local.get $next))
//               (local.get $expected)))
//     (func (export "compareExchange64") (param $i i32) (param $expectedLow i32)
//       (param $expectedHigh i32) (param $low i32) (param $high i32) (result i32)
//       (i64.eq (i64.atomic.rmw.cmpxchg (i32.shl ...) $expected $next) $expected)))
//
// where the 64-bit $expected and $next are (high << 32) | low of their unsigned halves.

import { assert } from '../../base/assert.ts';
import { lineWords, type Words } from './words.ts';

// The compiler's library has WebAssembly only among the types of browsers.
type Memory = { readonly buffer: SharedArrayBuffer };
type Limits = { readonly initial: number; readonly maximum: number; readonly shared: true };
type Steps = Pick<Words, 'load' | 'store' | 'compareExchange' | 'compareExchange64'>;
declare const WebAssembly: {
  readonly Memory: new (limits: Limits) => Memory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
    imports: { readonly shared: { readonly memory: Memory } },
  ) => { readonly exports: Steps };
};

/** A block of shared words. Post it to a thread as it is; the thread opens it. */
export type WordBlock = Memory;

const pageWords = 16_384;
const pagesMax = 65_536;

/** A new block of at least `count` words, all 0. */
export function createWordBlock(count: number): WordBlock {
  const pages = Math.ceil(count / pageWords);
  assert(pages >= 1 && pages <= pagesMax, `a block of ${count} words`);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

/**
 * The words of a block for this thread. Open a block once per thread and put all structures into
 * it: each opening makes a module instance, and calls into one instance are the fastest.
 */
export function openWords(block: WordBlock): Words {
  const view = new Int32Array(block.buffer);
  const instance = new WebAssembly.Instance(stepsModule, { shared: { memory: block } });
  const { load, store, compareExchange, compareExchange64 } = instance.exports;
  return {
    load,
    store,
    compareExchange,
    compareExchange64,
    glance: (index) => view[index] ?? 0,
    scribble: (index, value) => {
      view[index] = value;
    },
    pause,
  };
}

/** Attempts that follow at once, after 2, 4, ... 64 processor pauses: 4 us together. */
const promptAttempts = 6;
/** Then the thread sleeps between attempts, so that whoever was in its way gets a core. */
const sleepMs = 0.05;
const sleeper = new Int32Array(new SharedArrayBuffer(4 * lineWords));

/** Bounded on every thread, the main one too: 4 us of waiting, then the core is given up. */
function pause(failures: number): void {
  if (failures > promptAttempts) {
    Atomics.wait(sleeper, 0, 0, sleepMs);
    return;
  }
  for (let left = 1 << failures; left > 0; left--) Atomics.pause();
}

const i32 = 0x7f;
const localGet = (index: number): readonly number[] => [0x20, index];
/** Index of a word to its address: local 0 shifted left by 2. */
const address: readonly number[] = [...localGet(0), 0x41, 2, 0x74];
const aligned = { word: [2, 0], double: [3, 0] } as const;
const end = 0x0b;

/** The 64-bit value of two locals: high zero-extended, shifted left by 32, or low zero-extended. */
function joined(low: number, high: number): readonly number[] {
  return [...localGet(high), 0xad, 0x42, 32, 0x86, ...localGet(low), 0xad, 0x84];
}

type StepCode = {
  readonly name: keyof Steps;
  readonly params: number;
  readonly results: number;
  readonly code: readonly number[];
};

const steps: readonly StepCode[] = [
  { name: 'load', params: 1, results: 1, code: [...address, 0xfe, 0x10, ...aligned.word] },
  {
    name: 'store',
    params: 2,
    results: 0,
    code: [...address, ...localGet(1), 0xfe, 0x17, ...aligned.word],
  },
  {
    name: 'compareExchange',
    params: 3,
    results: 1,
    code: [
      ...[...address, ...localGet(1), ...localGet(2), 0xfe, 0x48, ...aligned.word],
      ...[...localGet(1), 0x46],
    ],
  },
  {
    name: 'compareExchange64',
    params: 5,
    results: 1,
    code: [
      ...[...address, ...joined(1, 2), ...joined(3, 4), 0xfe, 0x49, ...aligned.double],
      ...[...joined(1, 2), 0x51],
    ],
  },
];

/** A vector of the binary format. One byte holds any length below 128, and all of ours are. */
function vector(items: readonly (readonly number[])[]): readonly number[] {
  assert(items.length < 128, 'a vector of the module is too long');
  return [items.length, ...items.flat()];
}

function sized(bytes: readonly number[]): readonly number[] {
  assert(bytes.length < 128, 'a part of the module is too long');
  return [bytes.length, ...bytes];
}

function text(value: string): readonly number[] {
  return sized([...Buffer.from(value)]);
}

function types(count: number): readonly number[] {
  return vector(new Array<readonly number[]>(count).fill([i32]));
}

function moduleBytes(): Uint8Array {
  const memory = [0x02, 0x03, 0, 0x80, 0x80, 0x04]; // A shared memory of 0 to 65 536 pages.
  const sections: readonly (readonly [number, readonly number[]])[] = [
    [1, vector(steps.map((step) => [0x60, ...types(step.params), ...types(step.results)]))],
    [2, vector([[...text('shared'), ...text('memory'), ...memory]])],
    [3, vector(steps.map((_, at) => [at]))],
    [7, vector(steps.map(({ name }, at) => [...text(name), 0, at]))],
    [10, vector(steps.map(({ code }) => sized([0, ...code, end])))],
  ];
  const header = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
  return Uint8Array.from([...header, ...sections.flatMap(([id, body]) => [id, ...sized(body)])]);
}

const stepsModule = new WebAssembly.Module(moduleBytes());
