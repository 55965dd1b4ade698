// Goal: what bench `routing` plays is what its words say, and the same every time. Method: small workloads
// drawn or written here, counted by hand; one is played.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { capacityOf, fleetOf, play } from './play.ts';
import { agentTrace, perfectlyCached, sharedPrefixes, workingSetTokens } from './workloads.ts';

const shape = {
  name: 'small',
  tenants: 12,
  sharedTokens: 2048,
  questionTokens: 100,
  answerTokens: 20,
};
const small = sharedPrefixes(shape, 400, 1);

test('every request begins as its tenant does, about one a second, and the same for a seed', () => {
  assert.deepEqual(sharedPrefixes(shape, 400, 1), small);
  assert.notDeepEqual(sharedPrefixes(shape, 400, 2).arrivals, small.arrivals);
  const begins = new Set(small.arrivals.map(({ prefixIds }) => prefixIds.slice(0, 4).join()));
  assert.equal(begins.size, 12);
  assert.equal(new Set(small.arrivals.map(({ prefixIds }) => prefixIds[4])).size, 400);
  const seconds = (small.arrivals.at(-1)?.atUs ?? 0) / 1e6;
  assert.ok(seconds > 320 && seconds < 480, `${seconds} s for 400 requests`);
});

test('the working set is what more than one request has', () => {
  assert.equal(workingSetTokens(small), 12 * 2048);
});

test('with every beginning at hand only what is new is computed', () => {
  const { arrivals } = perfectlyCached(small);
  const computed = arrivals.map(({ promptTokens }) => promptTokens);
  assert.equal(computed.filter((tokens) => tokens === 2148).length, 12);
  assert.equal(computed.filter((tokens) => tokens === 100).length, 388);
});

test('a conversation of the agent trace keeps its pauses to a minute and its lengths to a quarter', async () => {
  const blocks = (count: number) => Array.from({ length: count }, (_, i) => i);
  const conversation = {
    requests: [
      { t: 0, type: 'n', in: 4096, out: 40, hash_ids: blocks(64) },
      { t: 500, type: 's', in: 6144, out: 8, hash_ids: blocks(96) },
      { t: 501, type: 'subagent', requests: [{ t: 9, type: 'n', in: 64, out: 4, hash_ids: [7] }] },
    ],
  };
  const folder = mkdtempSync(join(tmpdir(), 'tf-agents-'));
  try {
    const file = join(folder, 'agents.jsonl.gz');
    writeFileSync(file, gzipSync(`${JSON.stringify(conversation)}\n`.repeat(2)));
    const { arrivals, sessions = [] } = await agentTrace(file, 5, 1);
    assert.deepEqual(new Set(sessions), new Set([0, 1]));
    const own = arrivals.filter((_, at) => sessions[at] === 0);
    assert.deepEqual(
      own.map(({ promptTokens }) => promptTokens),
      [1024, 1536, 16],
    );
    assert.deepEqual(
      own.map(({ outputTokens }) => outputTokens),
      [10, 2, 1],
    );
    const beginUs = own[0]?.atUs ?? 0;
    const after = own.map(({ atUs }) => Math.round((atUs - beginUs) / 1e6));
    assert.deepEqual(after, [0, 60, 70]);
    assert.deepEqual(own[1]?.prefixIds.slice(0, 2), own[0]?.prefixIds);
    const other = arrivals.find((_, at) => sessions[at] === 1);
    assert.notEqual(other?.prefixIds[0], own[0]?.prefixIds[0], 'ids are those of a conversation');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a play comes out the same each time, and prefix affinity finds more than turns do', () => {
  const fleet = fleetOf('a100-7b', 10_000);
  const speed = 10;
  const turns = play(fleet, small, { strategy: 'round_robin', speed });
  assert.deepEqual(play(fleet, small, { strategy: 'round_robin', speed }), turns);
  const kept = play(fleet, small, { strategy: 'prefix_affinity', speed });
  assert.ok(kept.cachedShare > turns.cachedShare, `${kept.cachedShare}, ${turns.cachedShare}`);
  const alike = { strategy: 'prefix_affinity', speed, keyIds: 0 } as const;
  assert.ok(play(fleet, small, alike).cachedShare < kept.cachedShare);
});

test('the capacity is a speed that round robin still holds, or none', () => {
  const fleet = fleetOf('a100-7b', 10_000);
  const speed = capacityOf(fleet, small, { from: 1, to: 1024, steps: 4 });
  assert.ok(speed !== undefined);
  assert.ok(play(fleet, small, { strategy: 'round_robin', speed }).p95Ms <= 2000);
  assert.ok(speed < 1024);
  assert.equal(capacityOf(fleet, small, { from: 900, to: 1024, steps: 1 }), undefined);
});
