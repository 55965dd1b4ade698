// The text and the digest of one snapshot after another, where each differs little from the one
// before. A fleet of 1000 backends with 10 models each is 1 MB of text and 75 ms of work; with one
// backend changed it is 2 ms, of which SHA-256 takes 1. The text of a target is kept for as long
// as the target lives, that of its models for as long as the list, which outlives a change of status.

import { canonicalJson } from '../../base/canonical.ts';
import type { DigestText } from '../events/control-event.ts';
import type { RoutingSnapshot, Target } from '../routing/snapshot.ts';
import {
  joinedSnapshotText,
  modelsDocument,
  settingsDocument,
  targetDocument,
} from './snapshot-document.ts';

type DigestedSnapshot = {
  /** What decision records name the snapshot by. */
  readonly digest: string;
  /** The canonical text, as it is stored. */
  readonly text: string;
};

export class SnapshotDigester {
  readonly #digest: DigestText;
  readonly #targetTexts = new WeakMap<Target, string>();
  /** By the list of models, which a registry shares between versions of a backend. */
  readonly #modelTexts = new WeakMap<Target['models'], string>();

  constructor(digest: DigestText) {
    this.#digest = digest;
  }

  digested(snapshot: RoutingSnapshot): DigestedSnapshot {
    const settings = canonicalJson(settingsDocument(snapshot.settings));
    const text = joinedSnapshotText(
      settings,
      snapshot.targets.map((target) => this.#textOf(target)),
    );
    return { digest: this.#digest(text), text };
  }

  #textOf(target: Target): string {
    const known = this.#targetTexts.get(target);
    if (known !== undefined) return known;
    const text = this.#makeText(target);
    this.#targetTexts.set(target, text);
    return text;
  }

  /** `models` stands between the members that come before it and those behind it in the alphabet. */
  #makeText(target: Target): string {
    const { approved, id, ...behind } = targetDocument(target);
    const before = canonicalJson({ approved, id });
    const models = this.#modelsText(target.models);
    return `${before.slice(0, -1)},"models":${models},${canonicalJson(behind).slice(1)}`;
  }

  #modelsText(models: Target['models']): string {
    const known = this.#modelTexts.get(models);
    if (known !== undefined) return known;
    const text = canonicalJson(modelsDocument(models));
    this.#modelTexts.set(models, text);
    return text;
  }
}
