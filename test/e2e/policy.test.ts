// The serving mode seen from the front door: it moves by what clients meet, gates what they may do, is
// held by an operator for a while, and is the same after the process was killed. An engine that
// fails on command stands behind it; evaluations come every second, with no cooldown and no hold.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { z } from 'zod';
import {
  type PolicyViewWire,
  policyHistorySchema,
  policyViewSchema,
} from '../../src/protocol/control/trust-schemas.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import { ask, chat, errorOf, until } from '../support/inference.ts';
import { type Product, runCommand, startProduct } from '../support/product.ts';

const quick = {
  tick_seconds: 1,
  cooldown_seconds: 0,
  hold_seconds: 0,
  grace_seconds: 0,
  // Plain shares of failures: burn rates look at windows that a test cannot wait for.
  objective: 0.5,
  failure_percent: 50,
};

let home: string;
let sim: RunningSim;
let product: Product;

const begin = () =>
  startProduct({
    dataDirectory: home,
    sims: [],
    backends: [{ name: 'only', url: sim.url, type: 'vllm' }],
    config: { policy: quick, health_check: { interval_seconds: 1, timeout_seconds: 1 } },
  });

async function policy(): Promise<PolicyViewWire> {
  const { status, body } = await product.json('/api/v1/policy');
  assert.equal(status, 200, JSON.stringify(body));
  return policyViewSchema.parse(body);
}

async function history() {
  const { body } = await product.json('/api/v1/policy/history');
  return policyHistorySchema.parse(body);
}

const pin = (body: unknown) =>
  product.json('/api/v1/policy/pin', { method: 'PUT', body: JSON.stringify(body) });

const unpin = () => product.json('/api/v1/policy/pin?reason=over', { method: 'DELETE' });

const request = (priority?: string) =>
  ask(product, chat('sim-model'), {
    headers: priority === undefined ? {} : { 'x-tensorforge-priority': priority },
  });

/** Requests that all fail, until the mode is no longer `mode`. */
async function failUntilPast(mode: PolicyViewWire['mode']): Promise<void> {
  await fetch(`${sim.url}/sim/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: '500' }),
  });
  await until('the mode moves', async () => {
    await Promise.all([request('critical'), request('critical'), request('critical')]);
    return (await policy()).mode !== mode;
  });
  await fetch(`${sim.url}/sim/faults`, { method: 'DELETE' });
}

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'tf-policy-'));
  sim = await startSim({
    port: 0,
    profile: 'h100-7b',
    speed: 50,
    seed: 1,
    as: 'vllm',
    models: ['sim-model'],
  });
  product = await begin();
});

after(async () => {
  await product.stop();
  await sim.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('the serving mode', () => {
  it('is normal at first, says what each mode changes, and admits', async () => {
    const view = await policy();
    assert.equal(view.mode, 'normal');
    assert.equal(view.pin, null);
    assert.deepEqual(
      view.effects.map(({ mode, retries, least_class }) => [mode, retries, least_class]),
      [
        ['normal', 3, 1],
        ['watch', 2, 1],
        ['restricted', 1, 1],
        ['halted', 0, 5],
      ],
    );
    const answer = await request();
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['x-tensorforge-mode'], undefined);
  });

  it('a pin holds it: halted admits class 5 only and says how long to wait', async () => {
    const pinned = await pin({ mode: 'halted', reason: 'a test', expires_in_seconds: 3600 });
    assert.equal(pinned.status, 200, JSON.stringify(pinned.body));
    assert.equal((await policy()).pin?.reason, 'a test');
    await until('the gate is closed', async () => (await request()).status === 503);
    const refused = await request('high');
    assert.equal(refused.status, 503);
    assert.equal(errorOf(refused.text).context?.reason, 'mode_restricted');
    assert.ok(Number(refused.headers['retry-after']) >= 1);
    const admitted = await request('critical');
    assert.equal(admitted.status, 200);
    assert.equal(admitted.headers['x-tensorforge-mode'], 'halted');
    // The control API is no inference: it is never gated.
    assert.equal((await product.json('/api/v1/backends')).status, 200);
  });

  it('a pin outlives the process, and lifting it gives the ladder its mode back', async () => {
    await product.kill();
    product = await begin();
    const view = await policy();
    assert.equal(view.mode, 'halted');
    assert.equal(view.ladder_mode, 'normal');
    assert.equal((await request()).status, 503);
    const lifted = await unpin();
    assert.ok(lifted.status === 200 || lifted.status === 204, JSON.stringify(lifted.body));
    await until('the gate is open', async () => (await request()).status === 200);
    assert.equal((await policy()).pin, null);
    const kinds = (await history()).moves.map(({ kind }) => kind);
    assert.ok(kinds.includes('mode_pinned'));
    assert.ok(kinds.includes('mode_unpinned'));
  });

  it('failures that reach clients walk it up one step at a time, calm walks it down', async () => {
    await failUntilPast('normal');
    const { mode, verdict } = await policy();
    assert.equal(mode, 'watch', verdict);
    assert.match(verdict, /watch/);
    await until(
      'calm leads down',
      async () => {
        await Promise.all([request('critical'), request('critical')]);
        return (await policy()).mode === 'normal';
      },
      60_000,
    );
    const moves = (await history()).moves.filter(({ kind }) => /scalated$/.test(kind)).toReversed();
    const order = ['normal', 'watch', 'restricted', 'halted'];
    for (const { from, to, reason, evidence } of moves) {
      assert.equal(Math.abs(order.indexOf(from ?? '') - order.indexOf(to ?? '')), 1);
      assert.match(reason, /^(escalation: \d+ failures|deescalation: conditions improved)$/);
      assert.ok(Object.keys(evidence).length > 0);
    }
    assert.equal(moves.at(0)?.kind, 'mode_escalated');
    assert.equal(moves.at(-1)?.kind, 'mode_deescalated');
  });

  it('bad pins are refused with words, and the command line prints the same verdict', async () => {
    for (const body of [
      {},
      { mode: 'panic', reason: 'x', expires_in_seconds: 60 },
      { mode: 'watch', reason: '', expires_in_seconds: 60 },
      { mode: 'watch', reason: 'x', expires_in_seconds: 1 },
      { mode: 'watch', reason: 'x', expires_in_seconds: 60, more: 1 },
    ]) {
      assert.equal((await pin(body)).status, 400, JSON.stringify(body));
    }
    const env = { TENSORFORGE_DATA_DIR: product.dataDirectory };
    const shown = await runCommand(['policy', '--json'], env);
    assert.equal(shown.code, 0, shown.stderr);
    assert.equal(policyViewSchema.parse(JSON.parse(shown.stdout)).mode, (await policy()).mode);
    const words = ['policy', 'pin', 'restricted', '--for', '2h', '--reason', 'moving racks'];
    const pinned = await runCommand(words, env);
    assert.equal(pinned.code, 0, pinned.stderr);
    assert.equal((await policy()).mode, 'restricted');
    const lifted = await runCommand(['policy', 'unpin', '--reason', 'moved'], env);
    assert.equal(lifted.code, 0, lifted.stderr);
    assert.equal((await policy()).mode, 'normal');
  });

  it('needs permissions, and a move is an audited event by whom', async () => {
    const created = await product.json('/api/v1/keys', {
      method: 'POST',
      body: JSON.stringify({ name: 'plain', permissions: ['inference:use', 'policy:read'] }),
    });
    const { secret } = z.object({ secret: z.string() }).parse(created.body);
    const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
    const body = JSON.stringify({ mode: 'halted', reason: 'x', expires_in_seconds: null });
    const refused = await product.send('/api/v1/policy/pin', { method: 'PUT', headers, body });
    assert.equal(refused.status, 403);
    assert.equal((await product.send('/api/v1/policy', { headers })).status, 200);
    // Without inference:priority a request is at most of class 4.
    await pin({ mode: 'halted', reason: 'x', expires_in_seconds: 600 });
    await until('the gate is closed', async () => (await request()).status === 503);
    const capped = await ask(product, chat('sim-model'), {
      key: secret,
      headers: { 'x-tensorforge-priority': 'critical' },
    });
    assert.equal(capped.status, 503);
    await unpin();
    const { moves } = await history();
    assert.match(moves.find(({ kind }) => kind === 'mode_pinned')?.actor ?? '', /^(key|user):/);
  });
});
