// Buffers with known lifetimes (the traces of google/minimalloc), replayed in time order to see how
// high the addresses go. Frees come before allocations at equal time; addresses have no bound.

export type TracedBuffer = {
  readonly id: string;
  /** First time at which it lives, and the first at which it does not any more. */
  readonly lower: number;
  readonly upper: number;
  readonly size: number;
};

/** What is replayed into: the offset of a new block, and giving a buffer's block back. */
export type Placer = {
  readonly allocate: (buffer: TracedBuffer) => { readonly offset: number; readonly size: number };
  readonly free: (buffer: TracedBuffer) => void;
};

const header = 'id,lower,upper,size';

export function parseBuffers(csv: string): readonly TracedBuffer[] {
  const [first, ...lines] = csv.trim().split('\n');
  if (first?.trim() !== header) throw new Error(`the first line is not ${header}`);
  return lines.map((line) => {
    const [id = '', ...numbers] = line.trim().split(',');
    const [lower = Number.NaN, upper = Number.NaN, size = Number.NaN] = numbers.map(Number);
    if (!(lower < upper && size > 0)) throw new Error(`not a buffer: ${line}`);
    return { id, lower, upper, size };
  });
}

type Change = { readonly at: number; readonly starts: boolean; readonly buffer: TracedBuffer };

/** In time order, ends before starts, otherwise in the order of the file. */
function changesOf(buffers: readonly TracedBuffer[]): readonly Change[] {
  const ends = buffers.map((buffer) => ({ at: buffer.upper, starts: false, buffer }));
  const starts = buffers.map((buffer) => ({ at: buffer.lower, starts: true, buffer }));
  return [...ends, ...starts].toSorted((a, b) => a.at - b.at);
}

/** The largest sum of sizes that live at once: no placement can end lower. */
export function peakLoad(buffers: readonly TracedBuffer[]): number {
  let load = 0;
  let peak = 0;
  for (const { starts, buffer } of changesOf(buffers)) {
    load += starts ? buffer.size : -buffer.size;
    peak = Math.max(peak, load);
  }
  return peak;
}

/** The highest address that the placer has used. */
export function peakAddress(buffers: readonly TracedBuffer[], placer: Placer): number {
  let peak = 0;
  for (const { starts, buffer } of changesOf(buffers)) {
    if (!starts) {
      placer.free(buffer);
      continue;
    }
    const { offset, size } = placer.allocate(buffer);
    peak = Math.max(peak, offset + size);
  }
  return peak;
}
