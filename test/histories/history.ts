// A kept history: one block of decision records as a program once wrote it, and the snapshots that it
// names. It is never written again: what it holds is what every later program must decide the same.
//
//   NAME.block             the payload of the block
//   snapshots/DIGEST.snapshot   the canonical text of a snapshot document, under its SHA-256

import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../src/base/canonical.ts';
import { ok } from '../../src/base/result.ts';
import type { ControlRedecider } from '../../src/core/decisions/redecide.ts';
import { snapshotOfDocument } from '../../src/core/decisions/snapshot-document.ts';
import { evaluateAgain, modeRecordName } from '../../src/core/policy/mode-record.ts';
import type { RoutingSnapshot } from '../../src/core/routing/snapshot.ts';

const folder = import.meta.dirname;
const snapshots = join(folder, 'snapshots');

function blockPath(name: string): string {
  return join(folder, `${name}.block`);
}

function snapshotPath(digest: string): string {
  return join(snapshots, `${digest}.snapshot`);
}

export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export function historyNames(): readonly string[] {
  const blocks = readdirSync(folder).filter((name) => name.endsWith('.block'));
  return blocks.map((name) => name.slice(0, -'.block'.length)).sort();
}

export function readHistory(name: string): Uint8Array {
  return readFileSync(blockPath(name));
}

export function snapshotDigests(): readonly string[] {
  return readdirSync(snapshots).map((name) => name.replace('.snapshot', ''));
}

export function readSnapshotText(digest: string): string {
  return readFileSync(snapshotPath(digest), 'utf8');
}

/** The snapshot of a digest; undefined when it is not kept here, or is no document. */
export function readSnapshot(digest: string): RoutingSnapshot | undefined {
  if (!existsSync(snapshotPath(digest))) return undefined;
  const pageOf = (page: string) => ok(JSON.parse(readSnapshotText(page)));
  const read = snapshotOfDocument(pageOf(digest).value, pageOf);
  return read.ok ? read.value : undefined;
}

/** Writes a new history; refuses a name that there is already. */
export function keepHistory(
  name: string,
  payload: Uint8Array,
  documents: ReadonlyMap<string, string>,
): void {
  mkdirSync(snapshots, { recursive: true });
  writeFileSync(blockPath(name), payload, { flag: 'wx' });
  for (const [digest, text] of documents) {
    if (!existsSync(snapshotPath(digest))) writeFileSync(snapshotPath(digest), text);
  }
}

/** Who makes the control decisions of a history again. */
export const controlAgain: ReadonlyMap<string, ControlRedecider> = new Map([
  [modeRecordName, evaluation],
]);

function evaluation(input: Json): Json | undefined {
  const step = evaluateAgain(input);
  return step.ok ? JSON.parse(JSON.stringify(step.value)) : undefined;
}
