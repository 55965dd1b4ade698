// Names what belongs together by 32 bits that say nothing about it: keyed by a secret of the installation
// and by the group, so that nobody can tell from a decision, or from where a request went, what another
// group sent (security specification 2.9). The same on every thread and after every start.

import { hash } from 'node:crypto';

export class AffinityKeys {
  readonly #secret: string;

  /** `secret` is one of the installation; what is derived from it does not lead back to it. */
  constructor(secret: string) {
    this.#secret = hash('sha256', `affinity\0${secret}`);
  }

  /** Of a session or of the beginning of a prompt, within a group; `undefined` for an empty one. */
  keyOf(group: string, model: string, text: string): number | undefined {
    if (text === '') return undefined;
    const digest = hash('sha256', `${this.#secret}\0${group}\0${model}\0${text}`, 'buffer');
    return digest.readUInt32LE(0);
  }
}
