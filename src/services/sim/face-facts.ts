// What sets the faces apart beyond their routes, one row each.

import type { SimFace } from '../../protocol/sim/faces.ts';

export type FaceFacts = {
  /** Requests in the batch, as the real server starts with. */
  readonly maxRunning: number;
  readonly maxWaiting: number;
  /** Refuses an output that does not fit the context; the others shorten it. */
  readonly isStrict: boolean;
  /** Has one model and answers to whatever name it is asked for. */
  readonly takesAnyName: boolean;
  /** In which header a key is wanted; undefined has no keys. */
  readonly keyHeader: 'authorization' | 'x-api-key' | 'x-goog-api-key' | undefined;
  readonly ownedBy: string;
  readonly hasResponses: boolean;
  /** A provider that bills what it generates. */
  readonly isPaid: boolean;
  /** Loads models when they are asked for, and lets go of them. */
  readonly hasModelLife: boolean;
};

const batchServer: FaceFacts = {
  maxRunning: 256,
  maxWaiting: 1024,
  isStrict: true,
  takesAnyName: false,
  keyHeader: 'authorization',
  ownedBy: 'simulated',
  hasResponses: false,
  isPaid: false,
  hasModelLife: false,
};

const desktopServer: FaceFacts = { ...batchServer, maxRunning: 4, isStrict: false };

export const faceFacts: Readonly<Record<SimFace, FaceFacts>> = {
  ollama: {
    ...desktopServer,
    maxWaiting: 512,
    keyHeader: undefined,
    ownedBy: 'library',
    hasModelLife: true,
  },
  vllm: { ...batchServer, ownedBy: 'vllm', hasResponses: true },
  llamacpp: { ...desktopServer, takesAnyName: true, ownedBy: 'llamacpp' },
  openai: { ...batchServer, hasResponses: true, isPaid: true },
  lmstudio: { ...desktopServer, ownedBy: 'organization_owner', hasModelLife: true },
  exo: { ...desktopServer, keyHeader: undefined, ownedBy: 'exo' },
  anthropic: { ...batchServer, keyHeader: 'x-api-key', isPaid: true },
  google: { ...batchServer, keyHeader: 'x-goog-api-key', isPaid: true },
  sglang: { ...batchServer, takesAnyName: true, ownedBy: 'sglang' },
  tgi: { ...batchServer, maxRunning: 128, takesAnyName: true },
  generic: batchServer,
};
