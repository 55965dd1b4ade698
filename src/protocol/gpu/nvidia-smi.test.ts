// Goal: what nvidia-smi prints is read, with its gaps. The lines follow the csv,noheader,nounits form.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { codePoint } from '../../../test/support/code-points.ts';
import { parseNvidiaSmi } from './nvidia-smi.ts';

test('one line for each GPU, figures in the units that were asked for', () => {
  const text = [
    '0, GPU-7d1f3c52-aaaa-bbbb-cccc-0123456789ab, NVIDIA A100-SXM4-80GB, 550.54.15, 81920, 1024, 37, 41',
    '1, GPU-7d1f3c52-aaaa-bbbb-cccc-0123456789ac, NVIDIA A100-SXM4-80GB, 550.54.15, 81920, 0, 0, 33',
    '',
  ].join('\n');
  const gpus = parseNvidiaSmi(text);
  assert.equal(gpus.length, 2);
  assert.deepEqual(gpus[0], {
    index: 0,
    uuid: 'GPU-7d1f3c52-aaaa-bbbb-cccc-0123456789ab',
    name: 'NVIDIA A100-SXM4-80GB',
    driverVersion: '550.54.15',
    memoryTotalMib: 81920,
    memoryUsedMib: 1024,
    utilizationPercent: 37,
    temperatureCelsius: 41,
  });
  assert.equal(gpus[1]?.memoryUsedMib, 0);
});

test('what the driver cannot tell is undefined, never zero', () => {
  const [gpu] = parseNvidiaSmi(
    '0, GPU-1, NVIDIA H100, 560.35.03, [N/A], [Not Supported], N/A, \r\n',
  );
  assert.deepEqual(gpu, {
    index: 0,
    uuid: 'GPU-1',
    name: 'NVIDIA H100',
    driverVersion: '560.35.03',
    memoryTotalMib: undefined,
    memoryUsedMib: undefined,
    utilizationPercent: undefined,
    temperatureCelsius: undefined,
  });
});

test('warnings, failures and other lines are no GPU', () => {
  const text = [
    'No devices were found',
    'WARNING: infoROM is corrupted at gpu 0000:3B:00.0',
    'NVIDIA-SMI has failed because it could not communicate with the NVIDIA driver.',
    'x, GPU-1, name, 1, 1, 1, 1, 1',
    '0, [N/A], name, 1, 1, 1, 1, 1',
    '0, GPU-1, name, 1, 1, 1, 1',
  ].join('\n');
  assert.deepEqual(parseNvidiaSmi(text), []);
  assert.deepEqual(parseNvidiaSmi(''), []);
});

test('a name may hold commas', () => {
  const [gpu] = parseNvidiaSmi('3, GPU-1, Some GPU, rev 2, 1.2, 3, 4, 5, 6');
  assert.equal(gpu?.name, 'Some GPU, rev 2');
  assert.equal(gpu?.temperatureCelsius, 6);
});

test('no text makes it throw or give a figure below zero', () => {
  fc.assert(
    fc.property(fc.string({ unit: codePoint }), (text) => {
      for (const gpu of parseNvidiaSmi(`0, GPU-1, ${text}, 1, -5, ${text}, 7, 8`)) {
        assert.ok((gpu.memoryTotalMib ?? 0) >= 0);
        assert.ok((gpu.memoryUsedMib ?? 0) >= 0);
      }
    }),
    { seed: 7 },
  );
});
