// Deployments of a world: manifests signed by who made them, sent over the network, looked at again
// wherever they arrive, and placed on slots all at once or not at all. Somebody in the middle changes
// some of them; somebody with access to the store changes one that lies there.

import type { DeploymentManifest } from '../../../src/core/jobs/manifest.ts';
import { canTransitionState, type VersionState } from '../../../src/core/models/version-state.ts';
import { gatesOf } from '../../../src/core/policy/mode-gates.ts';
import type { ServingMode } from '../../../src/core/policy/serving-mode.ts';
import type { Chance } from '../environment/chance.ts';
import { controlNode, type Ground, gatewayNode } from '../environment/ground.ts';
import { admin, type Change, type Operators } from './operators.ts';

const signingKey = 'a key of the release desk';
const baseCost = 100;

export type Slot = { readonly id: string; readonly isolated: boolean; holder: string | undefined };

type Parcel = { readonly manifest: DeploymentManifest; readonly signature: string };

type Placed = {
  readonly id: string;
  parcel: Parcel;
  readonly slots: readonly Slot[];
  state: VersionState;
};

export class Deployments {
  readonly #ground: Ground;
  readonly #chance: Chance;
  readonly #operators: Operators;
  readonly #mode: () => ServingMode;
  readonly #slots: readonly Slot[];
  readonly #placed = new Map<string, Placed>();
  readonly #seen = new Set<string>();
  readonly #life: number;
  /** Slots of placements that are being written. */
  readonly #promised = new Set<Slot>();
  #made = 0;

  constructor(
    ground: Ground,
    chance: Chance,
    operators: Operators,
    mode: () => ServingMode,
    life: number,
  ) {
    this.#ground = ground;
    this.#chance = chance;
    this.#operators = operators;
    this.#mode = mode;
    this.#life = life;
    this.#slots = Array.from({ length: 8 }, (_, index) => ({
      id: `gpu-${index}`,
      isolated: index >= 5,
      holder: undefined,
    }));
  }

  /** The release desk sends a manifest from somewhere in the network; some are changed on the way. */
  submit(): void {
    const manifest: DeploymentManifest = {
      deploymentId: `d-${this.#life}-${this.#made++}`,
      name: 'model',
      artifactMb: this.#chance.between(1, 120_000),
      shardCount: this.#chance.between(1, 1200),
      isolated: this.#chance.hits(0.4),
    };
    const { parts, network } = this.#ground;
    const signed = parts.signManifest(textOf(this.#ground, manifest), signingKey, cryptoOf(parts));
    if (!signed.ok) return;
    const parcel = this.#onItsWay({ manifest, signature: signed.value });
    network.send(gatewayNode(0), controlNode, 'manifest', () => this.#receive(parcel));
  }

  #onItsWay(parcel: Parcel): Parcel {
    if (!this.#chance.hits(0.3)) return parcel;
    const { manifest, signature } = parcel;
    return this.#chance.pick([
      { manifest: { ...manifest, isolated: !manifest.isolated }, signature },
      { manifest: { ...manifest, shardCount: manifest.shardCount + 1 }, signature },
      { manifest, signature: signature.slice(1) },
      { manifest, signature: signature.slice(0, -1) },
      { manifest, signature: '' },
    ]);
  }

  #isSigned({ manifest, signature }: Parcel): boolean {
    const { parts } = this.#ground;
    return parts.verifyManifest(
      textOf(this.#ground, manifest),
      signingKey,
      signature,
      cryptoOf(parts),
    );
  }

  #receive(parcel: Parcel): void {
    const id = parcel.manifest.deploymentId;
    // Delivery keeps the first arrival (RD7).
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const isSigned = this.#isSigned(parcel);
    this.#ground.watch.security.judgedManifest('placement', parcel, isSigned);
    if (!isSigned || !gatesOf(this.#mode()).deployments) return;
    const wanted = 1 + (parcel.manifest.shardCount % 2);
    const slots = this.#freeSlots(parcel.manifest, wanted);
    if (slots === undefined) return;
    for (const slot of slots) this.#promised.add(slot);
    const settle = (): void => {
      for (const slot of slots) this.#promised.delete(slot);
    };
    this.#change('deployment_placed', id, () => this.#place(parcel, slots), settle);
  }

  /** So many free slots of the right kind, or, where there are fewer, none at all. */
  #freeSlots(manifest: DeploymentManifest, wanted: number): readonly Slot[] | undefined {
    const { conduct } = this.#ground;
    const fitting = this.#slots.filter(
      (slot) =>
        slot.holder === undefined &&
        !this.#promised.has(slot) &&
        (!conduct.honoursIsolation || slot.isolated === manifest.isolated),
    );
    const slots = fitting.slice(0, wanted);
    return slots.length === wanted || (!conduct.placesAllOrNothing && slots.length > 0)
      ? slots
      : undefined;
  }

  #place(parcel: Parcel, slots: readonly Slot[]): void {
    const { manifest } = parcel;
    const id = manifest.deploymentId;
    for (const slot of slots) slot.holder = id;
    this.#placed.set(id, { id, parcel, slots, state: 'validating' });
    const { parts, watch } = this.#ground;
    watch.security.placed({
      manifest,
      wanted: 1 + (manifest.shardCount % 2),
      slots,
      cost: parts.isolationSurcharge(baseCost, manifest.isolated),
      baseCost,
      warmupHours: parts.warmupHours(manifest.shardCount, manifest.isolated),
    });
  }

  /** One deployment goes a step on, or is taken away; somebody may have changed what lies there. */
  advance(): void {
    const all = [...this.#placed.values()];
    if (all.length === 0) return;
    const one = this.#chance.pick(all);
    if (this.#chance.hits(0.15)) {
      const { manifest, signature } = one.parcel;
      one.parcel = { manifest: { ...manifest, artifactMb: manifest.artifactMb + 1 }, signature };
    }
    const next = nextOf(one.state);
    if (next === undefined || this.#chance.hits(0.2)) {
      this.#change('deployment_removed', one.id, () => this.#remove(one));
      return;
    }
    if (next === 'production' && !gatesOf(this.#mode()).canaryPromotion) return;
    const isSigned = !this.#ground.conduct.verifiesAgain || this.#isSigned(one.parcel);
    const before = one.state;
    this.#ground.watch.security.judgedManifest('promotion', one.parcel, isSigned);
    if (!isSigned) {
      this.#change('deployment_refused', one.id, () => this.#remove(one));
      return;
    }
    this.#change('deployment_promoted', one.id, () => {
      if (one.state !== before || !this.#placed.has(one.id)) return;
      one.state = next;
      this.#ground.watch.security.promoted(before, next, canTransitionState(before, next));
    });
  }

  #remove(one: Placed): void {
    if (!this.#placed.delete(one.id)) return;
    for (const slot of one.slots) slot.holder = undefined;
    const left = this.#slots.filter(({ holder }) => holder === one.id).length;
    this.#ground.watch.security.vacated(one.id, left);
  }

  #change(kind: string, id: string, act: () => void, settled?: () => void): void {
    const change: Change = {
      kind,
      needs: ['deployments:write'],
      stream: 'deployments',
      subject: `deployment:${id}`,
      exists: () => true,
      write: () => undefined,
      act,
    };
    this.#operators.ask(admin.id, admin.token, change, settled);
  }
}

function nextOf(state: VersionState): VersionState | undefined {
  const way: Partial<Record<VersionState, VersionState>> = {
    validating: 'staging',
    staging: 'canary',
    canary: 'production',
  };
  return way[state];
}

function textOf(ground: Ground, manifest: DeploymentManifest): string {
  return ground.parts.canonicalJson({ ...manifest });
}

function cryptoOf(parts: Ground['parts']) {
  return parts.crypto;
}
