// Goal: the rows of A.7 on manifests. Method: tables with both sides of each edge.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DeploymentManifest,
  isLargeArtifact,
  isolationSurcharge,
  loaderWorkers,
  mbPerShard,
  sizeClass,
  totalArtifactMb,
} from './manifest.ts';

function manifest(artifactMb: number, shardCount = 4): DeploymentManifest {
  return { deploymentId: 'd-1', name: 'llama', artifactMb, shardCount, isolated: false };
}

test('the edges of the size classes are strict', () => {
  const rows = [
    [0, 'small'],
    [10_000, 'small'],
    [10_001, 'medium'],
    [50_000, 'medium'],
    [50_000.5, 'large'],
    [100_000, 'large'],
    [100_001, 'xlarge'],
  ] as const;
  for (const [mb, expected] of rows) assert.equal(sizeClass(mb), expected, String(mb));
});

test('an artifact is large above 50 000 MB', () => {
  assert.ok(!isLargeArtifact(manifest(50_000)));
  assert.ok(isLargeArtifact(manifest(50_001)));
  assert.ok(!isLargeArtifact(manifest(Number.NaN)));
});

test('megabytes per shard are a ratio, and 0 without shards', () => {
  assert.equal(mbPerShard(manifest(50_000, 8)), 6250);
  assert.equal(mbPerShard(manifest(10, 4)), 2.5);
  assert.equal(mbPerShard(manifest(50_000, 0)), 0);
});

test('the total is the sum, not the largest', () => {
  assert.equal(totalArtifactMb([manifest(38_000), manifest(62_000), manifest(1)]), 100_001);
  assert.equal(totalArtifactMb([]), 0);
});

test('a hundred shards begun take a loader, and there is at least one', () => {
  const shards = [0, 1, 99, 100, 101, 200, 201, 999, 1000];
  assert.deepEqual(shards.map(loaderWorkers), [1, 1, 1, 1, 2, 2, 3, 10, 10]);
});

test('isolation costs two and a half times the base', () => {
  assert.equal(isolationSurcharge(100, true), 250);
  assert.equal(isolationSurcharge(100, false), 100);
  assert.equal(isolationSurcharge(0, true), 0);
});
