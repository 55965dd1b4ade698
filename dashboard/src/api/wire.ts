// The wire shapes of the control API, as types only: the schemas stay on the server, the browser
// carries none of their code. `shapes.ts` holds the checks that an answer must pass here.

import type { z } from 'zod';
import type {
  backendListSchema,
  decisionListSchema,
  keyCreatedSchema,
  keyListSchema,
  meSchema,
} from '../../../src/protocol/control/schemas.ts';

export type {
  BackendViewWire,
  DecisionWire,
  KeyViewWire,
  LiveUpdate,
  OverviewWire,
  Permission,
} from '../../../src/protocol/control/schemas.ts';

export type BackendListWire = z.infer<typeof backendListSchema>;
export type DecisionListWire = z.infer<typeof decisionListSchema>;
export type KeyListWire = z.infer<typeof keyListSchema>;
export type KeyCreatedWire = z.infer<typeof keyCreatedSchema>;
export type MeWire = z.infer<typeof meSchema>;
