// Goal: the adapters, the detection and the readings of load agree with the simulated engines, which
// were written from the same public documents by somebody else, face by face and quirk by quirk.
// Method: real sockets on both sides.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { BackendType } from '../../../base/backend-type.ts';
import type { SimFace, SimQuirk } from '../../../protocol/sim/faces.ts';
import { simFor } from '../../sim/sim-fixture.ts';
import { detectType } from './detect-type.ts';
import { probeWith, readTestCredential, target, testClient } from './probe.test-support.ts';
import type { HealthyProbe, ProbeResult } from './probe-result.ts';
import { createScrapeBackend, type Scrape } from './scrape-backend.ts';

const scrape = createScrapeBackend({ client: testClient, readCredential: readTestCredential });

type Met = {
  readonly detected: string;
  readonly result: ProbeResult;
  readonly load: Scrape;
};

async function meet(
  context: TestContext,
  as: SimFace,
  quirks: readonly SimQuirk[] = [],
): Promise<Met> {
  const sim = await simFor(context, { as, quirks });
  const detection = await detectType(testClient, sim.url);
  const type: BackendType = as === 'sglang' || as === 'tgi' ? 'generic' : as;
  const needsKey = type === 'anthropic' || type === 'openai' || type === 'google';
  const apiKeyEnv = needsKey ? 'TENSORFORGE_BACKEND_KEY_BOX' : undefined;
  const asked = target(type, sim, { apiKeyEnv });
  const result = await probeWith()(asked);
  const { metadata = {}, runtime = [] } = result.kind === 'healthy' ? result : {};
  const load = await scrape({ ...asked, metadata, runtime });
  return { detected: detection.kind === 'engine' ? detection.type : detection.kind, result, load };
}

function well({ result }: Met): HealthyProbe {
  assert.ok(result.kind === 'healthy', JSON.stringify(result));
  return result;
}

function idsOf(met: Met): readonly string[] | undefined {
  return well(met).models?.map(({ id }) => id);
}

const both = ['llama3:8b', 'nomic-embed'];

test('every self-hosted face is recognised, probed and read', async (context) => {
  const rows: readonly (readonly [SimFace, string, string])[] = [
    ['ollama', 'ollama', 'absent'],
    ['vllm', 'vllm', 'reading'],
    ['llamacpp', 'llamacpp', 'reading'],
    ['lmstudio', 'lmstudio', 'absent'],
    ['exo', 'exo', 'absent'],
    ['sglang', 'generic', 'reading'],
    ['tgi', 'generic', 'reading'],
  ];
  for (const [as, type, load] of rows) {
    const met = await meet(context, as);
    assert.equal(met.detected, type, as);
    assert.ok((idsOf(met)?.length ?? 0) >= 1, as);
    assert.equal(met.load.kind, load, as);
  }
});

test('every cloud face lists its models', async (context) => {
  for (const as of ['openai', 'anthropic', 'google'] as const) {
    const met = await meet(context, as);
    assert.ok(idsOf(met)?.includes('llama3:8b'), as);
    assert.equal(met.load.kind, 'absent');
  }
});

test('ollama: kinds are known; without /api/ps nothing is said of memory', async (context) => {
  const met = well(await meet(context, 'ollama'));
  assert.deepEqual(
    met.runtime?.map(({ id, kind }) => [id, kind]),
    [
      ['llama3:8b', 'chat'],
      ['nomic-embed', 'embeddings'],
    ],
  );
  const blind = well(await meet(context, 'ollama', ['ollama-no-ps']));
  assert.ok(blind.runtime?.every(({ loaded }) => loaded === undefined));
  const old = well(await meet(context, 'ollama', ['ollama-old-show']));
  assert.ok(old.runtime?.every(({ kind }) => kind === undefined));
});

test('vllm and llamacpp under the names of their metrics of old', async (context) => {
  const old = await meet(context, 'vllm', ['vllm-old-metrics']);
  assert.ok(old.load.kind === 'reading');
  assert.equal(old.load.load.kvUse, 0);
  const ratio = await meet(context, 'llamacpp', ['llamacpp-old-metrics']);
  assert.ok(ratio.load.kind === 'reading');
  assert.deepEqual(ratio.load.load, { running: 0, waiting: 0, kvUse: 0 });
  const slots = await meet(context, 'llamacpp', ['llamacpp-no-metrics']);
  assert.ok(slots.load.kind === 'reading');
  assert.deepEqual(slots.load.load, { running: 0, waiting: undefined, kvUse: undefined });
  assert.equal((await meet(context, 'sglang', ['sglang-no-metrics'])).load.kind, 'absent');
});

test('llamacpp: no list keeps the models; loading is neither; a router loads nothing', async (context) => {
  const silent = well(await meet(context, 'llamacpp', ['llamacpp-no-models-route']));
  assert.equal(silent.models, undefined);
  const sim = await simFor(context, { as: 'llamacpp', quirks: ['llamacpp-loading'], speed: 1 });
  assert.deepEqual(await probeWith()(target('llamacpp', sim)), { kind: 'loading' });
  const router = await meet(context, 'llamacpp', ['llamacpp-router']);
  assert.equal(router.detected, 'llamacpp');
  assert.deepEqual(idsOf(router), both);
  assert.ok(well(router).runtime?.every(({ loaded }) => loaded === false));
});

test('lmstudio by either native list, and by none', async (context) => {
  for (const quirks of [[], ['lmstudio-v0-only']] as const) {
    const met = await meet(context, 'lmstudio', quirks);
    assert.equal(met.detected, 'lmstudio');
    assert.deepEqual(
      well(met).runtime?.map(({ kind }) => kind),
      ['chat', 'embeddings'],
    );
  }
  const bare = await meet(context, 'lmstudio', ['lmstudio-no-native']);
  assert.deepEqual([bare.detected, idsOf(bare)], ['generic', both]);
});

test('exo: only what runs of a catalogue; all of it where there is no state', async (context) => {
  assert.equal(idsOf(await meet(context, 'exo', ['exo-catalogue']))?.length, 1);
  assert.deepEqual(idsOf(await meet(context, 'exo', ['exo-no-state'])), both);
});

test('tgi without a list is known by its info, vllm without windows by its owner', async (context) => {
  const tgi = await meet(context, 'tgi', ['tgi-no-models-route']);
  assert.equal(tgi.detected, 'generic');
  assert.equal(well(tgi).metadata?.['engine'], 'tgi');
  assert.equal((await meet(context, 'vllm', ['vllm-no-max-len'])).detected, 'vllm');
});
