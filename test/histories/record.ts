// Records a history with the program as it stands, after a change of behaviour or of the codec:
//
//   node scripts/run.mjs test/histories/record.ts NAME SEED [routes | extras | modes]
//
// It writes NAME.block and its snapshots, never over one that is there, and prints the row for the
// table of histories.test.ts. Histories of other numbers stay as they are: they prove that the
// program still decides as it did when they were written.

import { seededRandom } from '../../src/base/random.ts';
import { currentBehaviour } from '../../src/core/decisions/behaviour.ts';
import { currentCodec, RecordEncoder } from '../../src/core/decisions/record-encoder.ts';
import { Redecider } from '../../src/core/decisions/redecide.ts';
import { Traffic } from '../../src/core/decisions/traffic.test-support.ts';
import { settings, start, tickMs, tickWith } from '../../src/core/policy/ladder.test-support.ts';
import { stepLadder } from '../../src/core/policy/ladder.ts';
import { initialLadder } from '../../src/core/policy/ladder-state.ts';
import { modeRecord } from '../../src/core/policy/mode-record.ts';
import { controlAgain, keepHistory, sha256 } from './history.ts';

const requests = 260;
/** So that every strategy has a fleet of its own. */
const requestsPerFleet = 20;
const ticks = 22;

/** Requests that few fleets are enough for: with all that only some requests have. */
const extraRequests = 60;

/** Requests over fleets of every strategy. */
function recordRoutes(encoder: RecordEncoder, seed: number, extras: boolean): Traffic {
  const traffic = new Traffic(seed, { requestsPerFleet, extras });
  const count = extras ? extraRequests : requests;
  for (let i = 0; i < count; i++) traffic.request(encoder);
  return traffic;
}

/** Evaluations of the serving mode: trouble of all kinds, silence, then calm. */
function recordModes(encoder: RecordEncoder, seed: number): void {
  const random = seededRandom(seed);
  let state = initialLadder(start);
  for (let i = 0; i < ticks; i++) {
    const isBad = i > 1 && i < 6;
    const served = i % 11 === 8 ? 0 : 40 + random.nextBelow(60);
    const failures = isBad ? random.nextBelow(served + 1) : 0;
    const at = start + i * tickMs;
    const tick = tickWith({
      at,
      uptimeMs: i * tickMs,
      outcomes: { requests: served, failures, slow: isBad ? random.nextBelow(3) : 0 },
      trips: isBad && random.nextBelow(4) === 0 ? ['backend:spark'] : [],
      backends: { known: 3, routable: isBad ? random.nextBelow(4) : 3 },
      databaseThere: random.nextBelow(12) > 0,
    });
    const input = { settings, state, tick };
    const output = stepLadder(settings, state, tick);
    const { name, version } = modeRecord(input, output);
    const plain = JSON.parse(JSON.stringify({ input, output }));
    encoder.control({ kind: 'control', at, name, version, ...plain });
    state = output.state;
  }
}

const [name, seed, what = 'routes'] = process.argv.slice(2);
if (name === undefined || !/^[a-z0-9-]+$/.test(name) || !/^\d+$/.test(seed ?? '')) {
  process.stderr.write('usage: record.ts NAME SEED [routes | extras | modes]\n');
  process.exit(2);
}

const encoder = new RecordEncoder();
const traffic =
  what === 'modes' ? undefined : recordRoutes(encoder, Number(seed), what === 'extras');
if (what === 'modes') recordModes(encoder, Number(seed));
const payload = encoder.take()?.payload ?? new Uint8Array();
keepHistory(name, payload, traffic?.documents ?? new Map());

const redecider = new Redecider({
  snapshotOf: (digest) => traffic?.snapshots.get(digest),
  behaviour: currentBehaviour,
  control: controlAgain,
});
const again = redecider.redecideBlock({ codec: currentCodec, payload });
const row = {
  name,
  codec: currentCodec,
  behaviour: currentBehaviour,
  sha256: sha256(payload),
  records: again.ok ? again.value.records : 0,
  byKind: again.ok ? Object.fromEntries(again.value.byKind) : {},
};
process.stdout.write(`${JSON.stringify(row, undefined, 2)}\n`);
