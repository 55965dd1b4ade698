// Goal: nothing is killed at a moment that does not hurt or cannot be counted, and cut streams are
// held against the streams that ran, with the bytes that were under way told and nothing else.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countCut, type Kill, killVerdict } from './kill-moment.ts';
import type { Outcome } from './outcome.ts';

test('it is killed only with three streams, three silent requests and one count on both sides', () => {
  for (let engineStreams = 0; engineStreams <= 5; engineStreams++) {
    for (let engineSilent = 0; engineSilent <= 5; engineSilent++) {
      for (let clientStreams = 0; clientStreams <= 5; clientStreams++) {
        const { kind } = killVerdict({ engineStreams, engineSilent, clientStreams, lookedMs: 2 });
        const isGood = engineStreams >= 3 && engineSilent >= 3 && engineStreams === clientStreams;
        assert.equal(kind, isGood ? 'kill' : 'wait');
      }
    }
  }
});

test('a verdict to wait says what is missing', () => {
  const words = (engineStreams: number, engineSilent: number, clientStreams: number) => {
    const verdict = killVerdict({ engineStreams, engineSilent, clientStreams, lookedMs: 2 });
    return verdict.kind === 'wait' ? verdict.words : '';
  };
  assert.equal(words(2, 9, 2), '2 streams of 3');
  assert.equal(words(4, 1, 4), '1 requests without a first byte of 3');
  assert.equal(words(4, 4, 3), 'the engine counts 4 streams, the client 3');
  const stale = { engineStreams: 4, engineSilent: 4, clientStreams: 4, lookedMs: 900 };
  assert.deepEqual(killVerdict(stale), { kind: 'wait', words: 'the answer took 900 ms' });
});

const kill: Kill = {
  engine: 'sim-big',
  atMs: 10_000,
  engineStreams: 3,
  engineSilent: 4,
  clientStreams: [1, 2, 3],
  lookedMs: 1,
  addedRequests: 0,
};

function streamOf(index: number, more: Partial<Outcome>): Outcome {
  return {
    index,
    stream: true,
    kind: 'cut',
    words: '',
    backend: 'sim-big',
    attempts: 1,
    overheadMs: 0.2,
    startedMs: 9000,
    firstContentMs: 9500,
    endedMs: 10_005,
    ...more,
  };
}

test('three streams that ran and three that were cut match', () => {
  const count = countCut(kill, [streamOf(1, {}), streamOf(2, {}), streamOf(3, {})]);
  assert.deepEqual(count, {
    cut: 3,
    openAtKill: 3,
    finishedUnderWay: 0,
    begunUnderWay: 0,
    ranThere: 3,
    cutElsewhere: 0,
    matches: true,
  });
});

test('bytes that were under way at the kill are counted apart and still match', () => {
  const count = countCut(kill, [
    streamOf(1, {}),
    streamOf(2, {}),
    streamOf(3, { kind: 'ok', endedMs: 10_004 }),
    streamOf(4, { firstContentMs: 10_002 }),
  ]);
  assert.deepEqual([count.finishedUnderWay, count.begunUnderWay], [1, 1]);
  assert.deepEqual([count.cut, count.ranThere, count.matches], [3, 3, true]);
});

test('a stream that ran there and simply ended does not match', () => {
  const broken = streamOf(3, { kind: 'broken', words: '0 [DONE] marks' });
  assert.equal(countCut(kill, [streamOf(1, {}), streamOf(2, {}), broken]).matches, false);
});

test('a stream of a dead engine cannot end whole later on', () => {
  const late = streamOf(3, { kind: 'ok', endedMs: 13_000 });
  assert.equal(countCut(kill, [streamOf(1, {}), streamOf(2, {}), late]).matches, false);
});

test('a cut stream that was not open at the kill does not match', () => {
  const before = streamOf(9, { firstContentMs: 5000, endedMs: 6000 });
  const all = [streamOf(1, {}), streamOf(2, {}), streamOf(3, {}), before];
  assert.equal(countCut(kill, all).matches, false);
});

test('a cut stream of an engine that nobody killed does not match', () => {
  const other = streamOf(3, { backend: 'sim-fast' });
  const count = countCut(kill, [streamOf(1, {}), streamOf(2, {}), other]);
  assert.deepEqual([count.cutElsewhere, count.matches], [1, false]);
});
