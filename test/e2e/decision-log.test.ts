// The decision log from the front door: what was decided is on disk, can be explained after the ring of
// the newest has forgotten it and after a kill, and is decided again to the same answers. A candidate
// policy is compared with what ran; damage is found where it is.

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { decisionSchema } from '../../src/protocol/control/schemas.ts';
import {
  type ReplayReportWire,
  replayReportSchema,
} from '../../src/protocol/control/trust-schemas.ts';
import { type RunningSim, startSim } from '../../src/services/sim/sim-server.ts';
import { ask, chat, until } from '../support/inference.ts';
import { type Product, runCommand, startProduct } from '../support/product.ts';

let home: string;
const sims: RunningSim[] = [];
let product: Product;
/** Request ids in the order of asking. */
const asked: string[] = [];

const begin = () =>
  startProduct({
    dataDirectory: home,
    sims: [],
    backends: sims.map(({ url }, i) => ({ name: `sim-${'abc'[i]}`, url, type: 'vllm' })),
    config: { limits: { key_concurrency: 0 }, decisions: { segment_mb: 1 } },
  });

async function askMany(count: number): Promise<void> {
  const answers = await Promise.all(
    Array.from({ length: count }, (_, i) => ask(product, chat('sim-model', { max_tokens: 1 + i }))),
  );
  for (const { status, headers } of answers) {
    assert.equal(status, 200);
    asked.push(String(headers['x-request-id']));
  }
}

async function replay(body: Readonly<Record<string, unknown>> = {}): Promise<ReplayReportWire> {
  const started = await product.json('/api/v1/replays', {
    method: 'POST',
    body: JSON.stringify(body),
  });
  assert.equal(started.status, 202, JSON.stringify(started.body));
  const { id } = replayReportSchema.parse(started.body);
  let report: ReplayReportWire | undefined;
  await until('the replay is done', async () => {
    const answer = await product.json(`/api/v1/replays/${id}`);
    report = replayReportSchema.parse(answer.body);
    return report.state !== 'running';
  });
  assert.ok(report !== undefined);
  return report;
}

function segmentFiles(): string[] {
  const folder = join(product.dataDirectory, 'decisions');
  return readdirSync(folder, { recursive: true })
    .map((name) => join(folder, String(name)))
    .filter((file) => /\.tfd/.test(file) && statSync(file).isFile())
    .toSorted();
}

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'tf-decisions-'));
  for (let i = 0; i < 3; i++) {
    const as = 'vllm';
    const models = ['sim-model'];
    sims.push(await startSim({ port: 0, profile: 'h100-7b', speed: 50, seed: i, as, models }));
  }
  product = await begin();
});

after(async () => {
  await product.stop();
  for (const sim of sims) await sim.stop();
  rmSync(home, { recursive: true, force: true });
});

describe('the decision log', () => {
  it('explains a request that the ring of the newest has forgotten', async () => {
    for (let i = 0; i < 4; i++) await askMany(40);
    const id = asked[0] ?? '';
    await until('it is on disk', async () => {
      const { status } = await product.json(`/api/v1/decisions/${id}`);
      return status === 200;
    });
    const { body } = await product.json(`/api/v1/decisions/${id}`);
    const decision = decisionSchema.parse(body);
    assert.equal(decision.request_id, id);
    assert.equal(decision.status, 200);
    assert.equal(decision.candidates.length, 3);
    const one = decision.candidates.find(({ backend_id }) => backend_id === decision.backend_id);
    assert.equal(one?.stage, null);
    const unknown = await product.json('/api/v1/decisions/0199f2c4-8a52-7c11-9d3e-52f0c1a7b9e4');
    assert.equal(unknown.status, 404);
  });

  it('is decided again without a divergence', async () => {
    const report = await replay();
    assert.equal(report.state, 'done', report.words);
    assert.equal(report.divergences, 0, JSON.stringify(report.first_divergence));
    assert.deepEqual(report.faults, []);
    assert.deepEqual(report.skipped, {});
    assert.equal(report.by_kind['admitted'], asked.length);
    assert.equal(report.by_kind['routed'], asked.length);
    assert.equal(report.candidate, null);
  });

  it('says decision by decision what a candidate policy would change, and the sums add up', async () => {
    const report = await replay({ policy: { routing: { strategy: 'round_robin' } } });
    const { candidate } = report;
    assert.ok(candidate !== null);
    assert.equal(report.divergences, 0);
    assert.ok(candidate.changed > 0);
    const sum = (of: 'recorded' | 'candidate') =>
      candidate.shifts.reduce((total, shift) => total + shift[of], 0);
    assert.equal(sum('recorded'), asked.length);
    assert.equal(sum('candidate'), asked.length);
    assert.ok(candidate.diff.length > 0);
    for (const { was, would_be, because } of candidate.diff) {
      assert.notEqual(was, would_be);
      assert.ok(because.length > 0);
    }
  });

  it('refuses a candidate with faults whole and names every one', async () => {
    const answer = await product.json('/api/v1/replays', {
      method: 'POST',
      body: JSON.stringify({
        policy: {
          routing: { strategy: 'fastest', max_retries: -1, wieghts: {} },
          surprise: {},
        },
      }),
    });
    assert.equal(answer.status, 422, JSON.stringify(answer.body));
    const text = JSON.stringify(answer.body);
    assert.match(text, /policy_invalid/);
    for (const word of ['strategy', 'max_retries', 'wieghts', 'surprise']) {
      assert.ok(text.includes(word), `${word} is not named in ${text}`);
    }
  });

  it('survives a kill: what was on disk is explained and replayed by the next process', async () => {
    await replay();
    await product.kill();
    product = await begin();
    await askMany(10);
    const report = await replay();
    assert.equal(report.divergences, 0);
    assert.deepEqual(report.faults, []);
    assert.ok((report.by_kind['admitted'] ?? 0) >= asked.length);
    const { status } = await product.json(`/api/v1/decisions/${asked[1]}`);
    assert.equal(status, 200);
  });

  it('the command line explains, replays, and ends with 0 while nothing differs', async () => {
    const env = { TENSORFORGE_DATA_DIR: product.dataDirectory };
    const replayed = await runCommand(['replay', '--json'], env);
    assert.equal(replayed.code, 0, replayed.stderr + replayed.stdout);
    assert.equal(replayReportSchema.parse(JSON.parse(replayed.stdout)).divergences, 0);
    const explained = await runCommand(['explain', 'request', asked[2] ?? '', '--json'], env);
    assert.equal(explained.code, 0, explained.stderr);
    assert.equal(decisionSchema.parse(JSON.parse(explained.stdout)).request_id, asked[2]);
  });

  it('one flipped bit on disk is found where it is, and nobody calls the log whole', async () => {
    const [file = ''] = segmentFiles();
    const bytes = readFileSync(file);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const report = await replay();
    assert.ok(report.faults.length > 0);
    const [fault] = report.faults;
    assert.ok(file.endsWith(fault?.name ?? '?'), `${fault?.name} in ${file}`);
    assert.ok(fault?.offset !== null);
    const env = { TENSORFORGE_DATA_DIR: product.dataDirectory };
    const replayed = await runCommand(['replay'], env);
    assert.equal(replayed.code, 3, replayed.stdout);
    const verified = await product.json('/api/v1/audit/verify', { method: 'POST', body: '{}' });
    assert.match(JSON.stringify(verified.body), /"whole":false/);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(file, bytes);
  });
});
