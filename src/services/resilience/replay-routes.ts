// Routes of replay. A report shows decisions of every group, so all three ask for `replay:run`, which
// only roles of the platform have.

import { type Refusal, refusal, TensorForgeError } from '../../errors/tensorforge-error.ts';
import { nodeCrypto } from '../../io/credentials/crypto.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import {
  replayListSchema,
  replayReportSchema,
  replayStartSchema,
} from '../../protocol/control/trust-schemas.ts';
import { replayOptionsOf } from './replay-request.ts';
import type { Replays } from './replays.ts';

function unknownReplay(id: string): Refusal {
  const words = `There is no replay ${id.slice(0, 100)}; the newest twenty are kept until a restart.`;
  return refusal('not_found', words);
}

export function replayRoutes(replays: Replays): ControlRoute[] {
  const common = { service: 'resilience', needs: needs('replay:run') } as const;
  return [
    {
      ...common,
      method: 'POST',
      path: '/api/v1/replays',
      summary: 'Make the decisions of the log again, with or without a candidate policy',
      body: replayStartSchema,
      answer: replayReportSchema,
      successStatus: 202,
      handle: async (call) => {
        const options = replayOptionsOf(call.body);
        const { from, to } = replayStartSchema.parse(call.body);
        const { requestId, bundle } = options;
        const candidate = bundle === undefined ? undefined : nodeCrypto.sha256Hex(bundle.text);
        const data = { from, to, request_id: requestId, candidate };
        return json(await replays.start(options, call.principal.text, data), 202);
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/api/v1/replays',
      summary: 'The newest replays, newest first',
      answer: replayListSchema,
      handle: () => {
        const all = replays.list();
        return json({ count: all.length, replays: all });
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/api/v1/replays/:id',
      summary: 'One replay: progress while it runs, its report after',
      answer: replayReportSchema,
      handle: (call) => {
        const id = call.params['id'] ?? '';
        const report = replays.get(id);
        if (report === undefined) throw TensorForgeError.of(unknownReplay(id));
        return json(report);
      },
    },
  ];
}
