// The wire shapes of the control API, as types only: the schemas stay on the server, the browser
// carries none of their code. `shapes.ts` holds the checks that an answer must pass here.

import type { z } from 'zod';
import type {
  engineLoadSchema,
  gateSchema,
  modelDetailSchema,
  operationListSchema,
  probeEntrySchema,
  recommendationListSchema,
  statusSpanSchema,
} from '../../../src/protocol/control/fleet-schemas.ts';
import type {
  auditEventSchema,
  auditEventsSchema,
} from '../../../src/protocol/control/platform-schemas.ts';
import type {
  backendListSchema,
  decisionListSchema,
  keyCreatedSchema,
  keyListSchema,
  meSchema,
} from '../../../src/protocol/control/schemas.ts';
import type {
  auditFaultSchema,
  burnPairSchema,
  burnPointSchema,
  modeEffectsSchema,
  policyMoveSchema,
  policyPinSchema,
  replayDivergenceSchema,
  replayListSchema,
  replayStartSchema,
  servingModeSchema,
} from '../../../src/protocol/control/trust-schemas.ts';

export type { OperationWire } from '../../../src/protocol/control/fleet-schemas.ts';
export type {
  BackendExplainWire,
  BackendViewWire,
  DecisionWire,
  KeyViewWire,
  LiveUpdate,
  OverviewWire,
  Permission,
} from '../../../src/protocol/control/schemas.ts';

export type EngineLoadWire = z.infer<typeof engineLoadSchema>;
export type GateWire = z.infer<typeof gateSchema>;
export type ModelDetailWire = z.infer<typeof modelDetailSchema>;
export type OperationListWire = z.infer<typeof operationListSchema>;
export type ProbeEntryWire = z.infer<typeof probeEntrySchema>;
export type RecommendationListWire = z.infer<typeof recommendationListSchema>;
export type StatusSpanWire = z.infer<typeof statusSpanSchema>;

export type BackendListWire = z.infer<typeof backendListSchema>;
export type DecisionListWire = z.infer<typeof decisionListSchema>;
export type KeyListWire = z.infer<typeof keyListSchema>;
export type KeyCreatedWire = z.infer<typeof keyCreatedSchema>;
export type MeWire = z.infer<typeof meSchema>;

export type { BatchesWire, BatchWire } from '../../../src/protocol/control/batch-schemas.ts';
export type { LimitWire } from '../../../src/protocol/control/limit-schemas.ts';
export type {
  AuditReportWire,
  PolicyHistoryWire,
  PolicyViewWire,
  ReplayReportWire,
} from '../../../src/protocol/control/trust-schemas.ts';
export type {
  BudgetWire,
  UsageRowWire,
  UsageWire,
} from '../../../src/protocol/control/usage-schemas.ts';

export type ServingModeWire = z.infer<typeof servingModeSchema>;
export type ModeEffectsWire = z.infer<typeof modeEffectsSchema>;
export type BurnPairWire = z.infer<typeof burnPairSchema>;
export type BurnPointWire = z.infer<typeof burnPointSchema>;
export type PolicyMoveWire = z.infer<typeof policyMoveSchema>;
export type PolicyPinWire = z.infer<typeof policyPinSchema>;
export type AuditEventWire = z.infer<typeof auditEventSchema>;
export type AuditEventsWire = z.infer<typeof auditEventsSchema>;
export type AuditFaultWire = z.infer<typeof auditFaultSchema>;
export type ReplayStartWire = z.infer<typeof replayStartSchema>;
export type ReplayDivergenceWire = z.infer<typeof replayDivergenceSchema>;
export type ReplayListWire = z.infer<typeof replayListSchema>;
