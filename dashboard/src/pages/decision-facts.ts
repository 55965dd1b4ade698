// What a decision of the log says about itself, in words: what it read, where it stands, and whether
// making it again gives the same.

import type { DecisionWire } from '../api/wire.ts';
import { formatCount } from '../format/numbers.ts';

export type Attempt = NonNullable<DecisionWire['attempts_detail']>[number];
export type Fact = readonly [name: string, value: string];

/** The attempt whose candidates the record shows: the one of its id, else the last. */
export function shownAttempt(decision: DecisionWire): Attempt | undefined {
  const { attempts_detail: attempts = [], decision_id: id, request_id: request } = decision;
  return attempts.find(({ attempt }) => id === `${request}.${attempt}`) ?? attempts.at(-1);
}

function seedWords(attempt: Attempt | undefined): readonly Fact[] {
  if (attempt === undefined) return [];
  const { snapshot, seed, cursor, mode, strategy } = attempt;
  return [
    ['Snapshot', snapshot],
    ['Seed, cursor', `${seed}, ${cursor}`],
    ['Mode, strategy', `${mode}, ${strategy ?? 'not known'}`],
  ];
}

function recordWords({ record, behaviour }: DecisionWire): readonly Fact[] {
  if (record === undefined) return [];
  if (record === null) return [['Record', 'not in the log']];
  const { segment, sequence, offset } = record;
  const place = `segment ${segment}, sequence ${formatCount(sequence)}, byte ${formatCount(offset)}`;
  const number = typeof behaviour === 'number' ? `, behaviour ${behaviour}` : '';
  return [['Record', place + number]];
}

/** What happened around the decision; empty for most. */
export function besideFacts(decision: DecisionWire): readonly Fact[] {
  const { split, annotations, queue = [], batches = [], shadows = [], degraded } = decision;
  const notes = Object.entries(annotations ?? {}).map(([name, value]) => `${name}=${value}`);
  const facts: Fact[] = [];
  if (split !== undefined) facts.push(['Experiment → arm', `${split.experiment} → ${split.arm}`]);
  if (notes.length > 0) facts.push(['Annotations', notes.join(', ')]);
  if (queue.length > 0) facts.push(['Queue', queue.map(({ words }) => words).join('; ')]);
  if (batches.length > 0) facts.push(['Batch', batches.map(({ words }) => words).join('; ')]);
  if (shadows.length > 0) facts.push(['Copy', shadows.map(({ words }) => words).join('; ')]);
  if (degraded !== undefined) facts.push(['Older answer', degraded.words]);
  return facts;
}

/** What the log knows of the decision; empty for one that only memory holds. */
export function logFacts(decision: DecisionWire): readonly Fact[] {
  const { prompt_tokens: prompt, completion_tokens: completion, admission } = decision;
  const facts: Fact[] = [];
  if (prompt !== undefined && completion !== undefined) {
    facts.push(['Tokens', `${formatCount(prompt)} in, ${formatCount(completion)} out`]);
  }
  if (admission !== undefined && admission !== null) facts.push(['Admission', admission.words]);
  return [...facts, ...seedWords(shownAttempt(decision)), ...recordWords(decision)];
}

/** Undefined while nothing is known about making it again. */
export function againWords({ again, again_words: words }: DecisionWire): string | undefined {
  if (again === 'same') return 'Made again from its record: the same.';
  if (again === 'differs')
    return `Made again from its record it differs: ${words ?? 'see a replay'}.`;
  if (again === null) return `It cannot be made again: ${words ?? 'its record is not there'}.`;
  return undefined;
}
