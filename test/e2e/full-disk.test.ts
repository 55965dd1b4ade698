// A disk that is full under the decision log. Method: the folder of the log is a file system of a few
// kilobytes that grows when the test says so. Where nothing may be mounted the test says that it was
// skipped.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { Agent } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  auditReportSchema,
  type ReplayReportWire,
  replayReportSchema,
} from '../../src/protocol/control/trust-schemas.ts';
import { type Answer, ask, chat, errorOf, metricsOf, until } from '../support/inference.ts';
import { type Product, startProduct } from '../support/product.ts';

function mount(...words: readonly string[]): boolean {
  return spawnSync('mount', words, { stdio: 'ignore' }).status === 0;
}

type Small = { readonly product: Product; readonly grow: () => void };

/** So many candidates make the record of a decision long, and the disk full after few requests. */
const engines = 24;

/** The product over a log folder of 96 KB; undefined where nothing may be mounted. */
async function startSmall(t: TestContext, onFull: string): Promise<Small | undefined> {
  const home = mkdtempSync(join(tmpdir(), 'tf-full-'));
  const folder = join(home, 'data', 'decisions');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const isMounted = mount('-t', 'tmpfs', '-o', 'size=96k,mode=0700', 'tmpfs', folder);
  let product: Product | undefined;
  t.after(async () => {
    await product?.stop();
    if (isMounted) spawnSync('umount', [folder], { stdio: 'ignore' });
    rmSync(home, { recursive: true, force: true });
  });
  if (!isMounted) {
    t.skip('no right to mount a file system');
    return undefined;
  }
  product = await startProduct({
    dataDirectory: home,
    sims: Array.from({ length: engines }, (_, at) => ({ name: `sim-${at}` })),
    // What waits for the disk is kept up to the queue's size, at least 1 MB.
    config: { server: { threads: 1 }, decisions: { on_full: onFull, queue_mb: 1 } },
  });
  return { product, grow: () => assert.ok(mount('-o', 'remount,size=32m', folder)) };
}

async function replayed(product: Product): Promise<ReplayReportWire> {
  const started = await product.json('/api/v1/replays', { method: 'POST', body: '{}' });
  const { id } = replayReportSchema.parse(started.body);
  let report: ReplayReportWire | undefined;
  await until('the replay is done', async () => {
    report = replayReportSchema.parse((await product.json(`/api/v1/replays/${id}`)).body);
    return report.state !== 'running';
  });
  assert.ok(report !== undefined);
  return report;
}

async function isWhole(product: Product): Promise<boolean> {
  const { body } = await product.json('/api/v1/audit/verify', { method: 'POST', body: '{}' });
  return auditReportSchema.parse(body).whole;
}

/** Some thousand short requests a second. */
async function askMany(product: Product): Promise<readonly Answer[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const body = chat('sim-model', { max_tokens: 1 });
  const answers = await Promise.all(
    Array.from({ length: 400 }, () => ask(product, body, { agent })),
  );
  agent.destroy();
  return answers;
}

const dropped = async (product: Product): Promise<number> =>
  (await metricsOf(product)).get('tensorforge_decision_log_dropped_records') ?? 0;

test('with on_full: drop every request is answered, what is lost is counted and told', async (t) => {
  const small = await startSmall(t, 'drop');
  if (small === undefined) return;
  const { product, grow } = small;
  await until(
    'records are dropped',
    async () => {
      const answers = await askMany(product);
      for (const { status } of answers) assert.equal(status, 200);
      return (await dropped(product)) > 0;
    },
    90_000,
  );
  // Retention may make room for a moment, in which nothing is dropped.
  await until('it is told', async () => {
    await askMany(product);
    const { body } = await product.json('/api/v1/overview');
    const words = JSON.stringify(body);
    return words.includes('decision log: t0 cannot be written, records are dropped');
  });
  grow();
  await until('it is written again', async () => {
    await ask(product, chat('sim-model'));
    const { body } = await product.json('/api/v1/overview');
    return !JSON.stringify(body).includes('cannot be written');
  });
  const report = await replayed(product);
  assert.equal(report.divergences, 0);
  assert.deepEqual(report.faults, []);
  assert.ok((report.skipped['dropped'] ?? 0) > 0, JSON.stringify(report.skipped));
  assert.equal(await isWhole(product), true);
});

test('with on_full: refuse nothing is decided unwritten, and it heals by itself', async (t) => {
  const small = await startSmall(t, 'refuse');
  if (small === undefined) return;
  const { product, grow } = small;
  let refused: Awaited<ReturnType<typeof ask>> | undefined;
  await until('requests are refused', async () => {
    const answers = await askMany(product);
    refused = answers.find(({ status }) => status === 503);
    return refused !== undefined;
  });
  assert.equal(errorOf(refused?.text ?? '').context?.reason, 'retry');
  assert.ok(Number(refused?.headers['retry-after']) >= 1);
  assert.equal((await product.json('/api/v1/backends')).status, 200);
  grow();
  await until(
    'requests come in again',
    async () => (await ask(product, chat('sim-model'))).status === 200,
  );
  const report = await replayed(product);
  assert.equal(report.divergences, 0);
  assert.deepEqual(report.faults, []);
  assert.equal(await isWhole(product), true);
});
