// The manifest of a deployment: what a model weighs and what it needs to be loaded. Rows of the
// platform specification A.7. Megabytes are decimal; on the wire `isolated` is called `restricted`.

import { ceilDivide } from '../../base/numbers.ts';

export type DeploymentManifest = {
  readonly deploymentId: string;
  readonly name: string;
  readonly artifactMb: number;
  /** Files that the weights are split into. */
  readonly shardCount: number;
  /** Needs isolated tenancy: regulated data, export control. */
  readonly isolated: boolean;
};

export type SizeClass = 'small' | 'medium' | 'large' | 'xlarge';

const mediumAboveMb = 10_000;
const largeAboveMb = 50_000;
const xlargeAboveMb = 100_000;

/** Shards that one loader reads; what remains takes a loader of its own. */
const shardsPerLoader = 100;

/** What isolated tenancy multiplies a price by. */
const isolationFactor = 2.5;

/** All edges are strict: exactly 100 000 MB is large. */
export function sizeClass(artifactMb: number): SizeClass {
  if (artifactMb > xlargeAboveMb) return 'xlarge';
  if (artifactMb > largeAboveMb) return 'large';
  return artifactMb > mediumAboveMb ? 'medium' : 'small';
}

/** More than 50 000 MB. */
export function isLargeArtifact(manifest: Pick<DeploymentManifest, 'artifactMb'>): boolean {
  return manifest.artifactMb > largeAboveMb;
}

/** Mean megabytes of a shard; 0 without shards. */
export function mbPerShard(
  manifest: Pick<DeploymentManifest, 'artifactMb' | 'shardCount'>,
): number {
  return manifest.shardCount === 0 ? 0 : manifest.artifactMb / manifest.shardCount;
}

/** The megabytes of all together. */
export function totalArtifactMb(
  manifests: readonly Pick<DeploymentManifest, 'artifactMb'>[],
): number {
  return manifests.reduce((sum, { artifactMb }) => sum + artifactMb, 0);
}

/** Parallel loaders for so many shards: one per hundred begun, at least 1. */
export function loaderWorkers(shards: number): number {
  return Math.max(1, ceilDivide(shards, shardsPerLoader));
}

/** `base` in any currency, times 2.5 for an isolated deployment. */
export function isolationSurcharge(base: number, isolated: boolean): number {
  return isolated ? base * isolationFactor : base;
}
