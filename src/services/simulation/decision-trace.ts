// The decision log of an installation as a trace. What is damaged is left out and told with its
// place; so is what the log itself never held, records dropped under pressure.

import { decodeBlock } from '../../core/decisions/record-decoder.ts';
import {
  RecordedArrivals,
  type RecordedTrace,
} from '../../core/workload/traces/recorded-arrivals.ts';
import { faultWords } from '../../io/segments/segment-fault.ts';
import { readBlocks } from '../../io/segments/segment-reader.ts';

export type DecisionTrace = {
  readonly trace: RecordedTrace;
  /** What is missing and why, a sentence each. */
  readonly notes: readonly string[];
};

/** Places that are told one by one. */
const placesShown = 5;

export function readDecisionTrace(folder: string): DecisionTrace {
  const joined = new RecordedArrivals();
  const places: string[] = [];
  let blocks = 0;
  let dropped = 0;
  for (const item of readBlocks(folder)) {
    // An open segment that ends inside a frame is being written.
    if (item.kind === 'unfinished') continue;
    if (item.kind === 'fault') {
      places.push(faultWords(item));
      continue;
    }
    blocks++;
    dropped += item.dropped;
    const records = decodeBlock(item.codec, item.payload);
    if (records.ok) for (const record of records.value) joined.push(record);
    else places.push(`${item.name} at byte ${item.offset}: ${records.error.message}`);
  }
  const trace = joined.finish();
  const notes = notesOf(trace, places, dropped);
  if (blocks > 0 || places.length > 0) return { trace, notes };
  return { trace, notes: ['No decision log is there; it is the folder `decisions` of the data.'] };
}

function notesOf(trace: RecordedTrace, places: readonly string[], dropped: number): string[] {
  const notes: string[] = [];
  if (places.length > 0) {
    const shown = places.slice(0, placesShown).join('; ');
    const more = places.length - placesShown;
    notes.push(`The log is damaged, and what is there is left out: ${shown}.`);
    if (more > 0) notes.push(`${more} more places are damaged: tensorforge audit verify.`);
  }
  if (dropped > 0) notes.push(`${dropped} records were dropped when the log was written.`);
  if (trace.incomplete > 0) {
    notes.push(`${trace.incomplete} requests of the log have no recorded end and were left out.`);
  }
  return notes;
}
