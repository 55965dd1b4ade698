// Goal: reading on never loses, doubles or reorders an event, and never hides a gap. Method: a server
// of ours that answers as the real one does, oldest first and cut at its limit.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditPageSize, eventKey, mergeEvents, readTrail, windowStart } from './audit-trail.ts';
import type { AuditEventsWire, AuditEventWire } from './wire.ts';

function event(
  sequence: number,
  { atMs = sequence * 1000, stream = 'policy' } = {},
): AuditEventWire {
  return {
    stream,
    sequence,
    id: `${stream}-${sequence}`,
    kind: 'mode_escalated',
    version: 1,
    occurred_at: new Date(atMs).toISOString(),
    actor: 'policy',
    subject: 'global',
    data: {},
    prev_hash: '',
    hash: '',
  };
}

function server(events: readonly AuditEventWire[]) {
  const asked: string[] = [];
  const page = async (from: string): Promise<AuditEventsWire> => {
    asked.push(from);
    const all = events.filter(({ occurred_at: at }) => at >= from);
    const some = all.slice(-auditPageSize);
    const more = all.length > some.length;
    return { count: some.length, events: [...some], by_kind: {}, more, complete: true, gaps: [] };
  };
  return { page, asked };
}

const start = new Date(0).toISOString();
const many = (count: number) => Array.from({ length: count }, (_, n) => event(n + 1));

test('the newest comes first, and a window that one answer holds is not cut', async () => {
  const { page } = server(many(3));
  const trail = await readTrail({ start, held: undefined, page });
  assert.deepEqual(
    trail.events.map(({ sequence }) => sequence),
    [3, 2, 1],
  );
  assert.equal(trail.cut, false);
});

test('reading again asks only for what came since, and takes in what was committed late', async () => {
  const events = many(100);
  const held = await readTrail({ start, held: undefined, page: server(events).page });
  const late = event(1, { atMs: 95_500, stream: 'audit' });
  const { page, asked } = server([...events, late, event(101)]);
  const trail = await readTrail({ start, held, page });
  assert.deepEqual(asked, [new Date(90_000).toISOString()]);
  assert.equal(trail.events.length, 102);
  assert.equal(trail.events[0]?.sequence, 101);
  assert.ok(trail.events.some((one) => eventKey(one) === 'audit/1'));
});

test('what fell out of the window is let go', async () => {
  const held = await readTrail({ start, held: undefined, page: server(many(10)).page });
  const later = new Date(5000).toISOString();
  const trail = await readTrail({ start: later, held, page: server(many(10)).page });
  assert.equal(trail.events.at(-1)?.sequence, 5);
});

test('a window with too many events is cut, says so, and goes on saying so', async () => {
  const { page } = server(many(1500));
  const trail = await readTrail({ start, held: undefined, page });
  assert.equal(trail.cut, true);
  assert.equal(trail.events.at(-1)?.sequence, 501);
  assert.equal((await readTrail({ start, held: trail, page })).cut, true);
});

test('when more came than one answer holds, nothing stands beyond the gap', async () => {
  const held = await readTrail({ start, held: undefined, page: server(many(10)).page });
  const trail = await readTrail({ start, held, page: server(many(5000)).page });
  assert.equal(trail.events.length, auditPageSize);
  assert.equal(trail.events.at(-1)?.sequence, 4001);
  assert.equal(trail.cut, true);
});

test('nothing new leaves the list as it was, so that nothing is drawn again', () => {
  const held = mergeEvents([], many(3));
  assert.equal(mergeEvents(held, many(3)), held);
});

test('an empty trail is no failure', async () => {
  const trail = await readTrail({ start, held: undefined, page: server([]).page });
  assert.deepEqual(trail, { events: [], cut: false });
});

test('a window ends now and begins its length before', () => {
  assert.equal(windowStart('1h', 3_600_000), start);
});
