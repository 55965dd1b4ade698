// Goal: of many that register one version, or take a version along one edge, exactly one succeeds,
// and a reader never meets half a change (C.1, 0.8). Method: promises interleaved at every await
// by a seeded schedule; then four real threads that send commands to the thread that owns the
// registry.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type Random, seededRandom } from '../../base/random.ts';
import { ModelRegistry } from './model-registry.ts';
import { factsOf, granted, place, resultOf, stampAt, version } from './registry.test-support.ts';
import type { ClientTask } from './registry-client.test-support.ts';
import { formatVersion } from './version.ts';
import { canTransitionState, type VersionState, versionStates } from './version-state.ts';

/** Lets others run a seeded number of times: where they interleave differs from call to call. */
async function pause(random: Random): Promise<void> {
  for (let turns = random.nextBelow(5); turns > 0; turns -= 1) await Promise.resolve();
}

const clients = Array.from({ length: 32 }, (_, at) => at);

type Command =
  | { readonly kind: 'register'; readonly text: string; readonly by: number }
  | { readonly kind: 'transition'; readonly text: string; readonly to: VersionState };

/** Runs `commands` of each thread on one registry in the order in which they come in. */
async function fromThreads(
  registry: ModelRegistry,
  commands: readonly (readonly Command[])[],
): Promise<readonly (readonly [Command, boolean])[]> {
  const gate = new SharedArrayBuffer(4);
  const answers: (readonly [Command, boolean])[] = [];
  const obey = (command: Command): boolean => {
    const one = version(command.text);
    const stamp = stampAt(answers.length);
    if (command.kind === 'transition') {
      return registry.transitionState('llama', one, command.to, stamp).ok;
    }
    return registry.register(factsOf(command.text, { name: `by ${command.by}` }), stamp).ok;
  };
  const ended = commands.map((own) => {
    const workerData: ClientTask = { gate, threads: commands.length, commands: own };
    const script = new URL('./registry-client.test-support.ts', import.meta.url);
    const worker = new Worker(script, { workerData });
    worker.on('message', (command: Command) => answers.push([command, obey(command)]));
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject);
      worker.once('exit', () => resolve());
    });
  });
  await Promise.all(ended);
  return answers;
}

describe('registry', () => {
  it('of interleaved registrations of one version exactly one succeeds', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = seededRandom(seed);
      const registry = new ModelRegistry();
      const outcomes = await Promise.all(
        clients.map(async (at) => {
          await pause(random);
          return registry.register(factsOf('1.0.0', { name: `client ${at}` }), stampAt(at));
        }),
      );
      const [winner, ...others] = outcomes.flatMap((outcome) =>
        outcome.ok ? [outcome.value] : [],
      );
      assert.equal(others.length, 0, `seed ${seed}`);
      assert.equal(registry.get('llama', version('1.0.0')), winner?.metadata);
      assert.equal(registry.versionCount, 1);
    }
  });

  it('of interleaved transitions along one edge exactly one succeeds', async () => {
    const edges = versionStates.flatMap((from) =>
      versionStates.filter((to) => canTransitionState(from, to)).map((to) => ({ from, to })),
    );
    for (const [seed, { from, to }] of edges.entries()) {
      const random = seededRandom(seed);
      const registry = new ModelRegistry();
      place(registry, factsOf('1.0.0'), from);
      const outcomes = await Promise.all(
        clients.map(async (at) => {
          await pause(random);
          return registry.transitionState('llama', version('1.0.0'), to, stampAt(at));
        }),
      );
      const events = outcomes.flatMap((outcome) => (outcome.ok ? [outcome.value.audit.data] : []));
      assert.equal(events.length, 1, `${from} -> ${to}`);
      assert.deepEqual([events[0]?.['from'], events[0]?.['to']], [from, to]);
      for (const outcome of outcomes) {
        assert.ok(outcome.ok || outcome.error.code === 'transition_forbidden');
      }
    }
  });

  it('of promotion and rollback of one canary exactly one succeeds', async () => {
    const winners = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const random = seededRandom(seed);
      const registry = new ModelRegistry();
      place(registry, factsOf('1.0.0'), 'canary');
      const outcomes = await Promise.all(
        (['production', 'staging'] as const).map(async (to) => {
          await pause(random);
          return registry.transitionState('llama', version('1.0.0'), to, stampAt(1));
        }),
      );
      assert.equal(outcomes.filter(({ ok }) => ok).length, 1, `seed ${seed}`);
      winners.add(registry.get('llama', version('1.0.0'))?.state);
    }
    assert.equal(winners.size, 2, 'the schedules let each of the two win');
  });

  it('readers between writers see whole changes only', async () => {
    const random = seededRandom(7);
    const registry = new ModelRegistry();
    const texts = clients.map((at) => `1.${(at * 7) % clients.length}.0`);
    const write = async (text: string): Promise<void> => {
      await pause(random);
      granted(registry.register(factsOf(text), stampAt(1)));
      await pause(random);
      granted(registry.recordValidation(resultOf(text), stampAt(2)));
    };
    const read = async (): Promise<void> => {
      for (const _ of clients) {
        await pause(random);
        const listed = registry.listVersions('llama');
        assert.equal(listed.length, registry.versionCount);
        assert.equal(registry.getLatest('llama'), listed.at(-1));
        assert.equal(registry.findByState('registered').length, listed.length);
      }
    };
    await Promise.all([...texts.map(write), read(), read()]);
    assert.equal(registry.versionCount, clients.length);
  });

  it('of four threads exactly one registers each version and takes each edge', async () => {
    const registry = new ModelRegistry();
    const texts = Array.from({ length: 25 }, (_, at) => `1.${at}.0`);
    const threads = [0, 1, 2, 3].map((by) =>
      texts.flatMap((text): Command[] => [
        { kind: 'register', text, by },
        { kind: 'transition', text, to: 'validating' },
      ]),
    );
    const answers = await fromThreads(registry, threads);
    assert.equal(answers.length, 4 * 2 * texts.length);
    for (const text of texts) {
      for (const kind of ['register', 'transition']) {
        const won = answers.filter(([one, ok]) => ok && one.text === text && one.kind === kind);
        assert.equal(won.length, 1, `${kind} ${text}`);
        const [command] = won[0] ?? [];
        if (command?.kind !== 'register') continue;
        assert.equal(registry.get('llama', version(text))?.name, `by ${command.by}`);
      }
    }
    const found = registry.findByState('validating').map((one) => formatVersion(one.version));
    assert.deepEqual(found, texts);
  });
});
