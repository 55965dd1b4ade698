// Goal: a fleet file is read with its defaults, or refused with every fault and its line at once.
// Method: small files, and the example that users start from.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeFault } from '../../config/fault.ts';
import { engineProfiles } from '../../core/workload/engine/constants.ts';
import { parseFleet } from './fleet-file.ts';

function faultsOf(text: string): string[] {
  const parsed = parseFleet(text, 'fleet.yaml');
  assert.ok(!parsed.ok);
  return parsed.error.map(describeFault);
}

const smallest = 'backends: [{name: a, profile: h100-7b, models: [m]}]';

test('what is left out has the value of the example', () => {
  const parsed = parseFleet(smallest, 'fleet.yaml');
  assert.ok(parsed.ok);
  const { fleet, serviceLevel, model } = parsed.value;
  assert.deepEqual(fleet, {
    engines: [
      {
        name: 'a',
        models: ['m'],
        settings: {
          profile: engineProfiles['h100-7b'],
          maxRunning: 256,
          maxWaiting: 1024,
          kvTokens: 121_752,
          contextTokens: 32_768,
        },
        slowness: 1,
        priority: 50,
        capacity: 0,
        pricePerHour: 0,
      },
    ],
    gateway: { overheadUs: 150, networkUs: 0, inFlightMax: 1000 },
  });
  assert.deepEqual([serviceLevel, model], [{ ttftMs: 2000, tpotMs: 100 }, 'm']);
});

test('a count makes so many engines, each with a name of its own', () => {
  const text = 'backends: [{name: a, count: 3, profile: a100-7b, models: [m]}]';
  const parsed = parseFleet(text, 'fleet.yaml');
  assert.ok(parsed.ok);
  assert.deepEqual(
    parsed.value.fleet.engines.map(({ name }) => name),
    ['a-1', 'a-2', 'a-3'],
  );
});

test('the example of the project holds', () => {
  const text = readFileSync(new URL('../../../examples/fleet.yaml', import.meta.url), 'utf8');
  const parsed = parseFleet(text, 'fleet.yaml');
  assert.ok(parsed.ok);
  assert.equal(parsed.value.fleet.engines.length, 5);
});

test('every fault is told at once, with place, value, line and what would hold', () => {
  const faults = faultsOf(
    [
      'backends:',
      '  - name: a',
      '    profile: h200',
      '    models: []',
      '    max_runing: 3',
      '    slowness: 0.5',
      'slo: {ttft_ms: fast}',
      'gatway: {}',
    ].join('\n'),
  );
  assert.deepEqual(faults.sort(), [
    'backends[0].max_runing does not hold (fleet.yaml line 5); expected a known member; did you mean max_running?.',
    'backends[0].models is [] (fleet.yaml line 4); expected at least one model id.',
    'backends[0].profile is h200 (fleet.yaml line 3); expected one of a100-7b, h100-7b, a100-70b.',
    'backends[0].slowness is 0.5 (fleet.yaml line 6); expected a number from 1 to 1000.',
    'gatway does not hold (fleet.yaml line 8); expected a known member; did you mean gateway?.',
    'slo.ttft_ms is fast (fleet.yaml line 7); expected a number from 1 to 3600000.',
  ]);
});

test('a file that is no YAML, or empty, or without backends is refused', () => {
  assert.match(faultsOf('backends: [')[0] ?? '', /readable YAML/);
  assert.match(faultsOf('')[0] ?? '', /expected a list of backends/);
  assert.match(faultsOf('backends: []')[0] ?? '', /at least one backend/);
});

test('names with one id, models of nobody and too many engines are faults', () => {
  const entry = 'profile: a100-7b, models: [m]';
  assert.match(
    faultsOf(`backends: [{name: GPU 1, ${entry}}, {name: gpu-1, ${entry}}]`).join(),
    /backends\[1\]\.name is gpu-1 .*backends\[0\] has an engine with the same id/,
  );
  assert.match(
    faultsOf(`${smallest}\nmodel: other`).join(),
    /model is other .*a model that a backend lists: m/,
  );
  const many = `backends: [{name: a, count: 600, ${entry}}, {name: b, count: 600, ${entry}}]`;
  assert.match(faultsOf(many).join(), /backends is 1200 .*at most 1000 engines/);
});
