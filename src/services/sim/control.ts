// `/sim/*`: faults on command and live figures. Answers loopback only, and takes only JSON bodies,
// so that neither another machine nor a web page in a browser can break a simulated fleet.

import type { IncomingMessage, ServerResponse } from 'node:http';
import {
  type SimFault,
  type SimState,
  type SimStats,
  simFaultSchema,
} from '../../protocol/sim/schemas.ts';
import { parseJsonObject, readBody } from './json-body.ts';
import type { Simulation } from './simulation.ts';

export async function answerControl(
  simulation: Simulation,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  addFault: (fault: SimFault) => void,
): Promise<void> {
  const answer = (status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const body = await readBody(request);
  if (!isLoopback(request.socket.remoteAddress)) {
    answer(403, { error: 'the control paths of a simulated server answer loopback only' });
    return;
  }
  switch (`${request.method} ${path}`) {
    case 'GET /sim/state':
      answer(200, stateOf(simulation));
      break;
    case 'GET /sim/stats':
      answer(200, statsOf(simulation));
      break;
    case 'GET /sim/faults':
      answer(200, { faults: simulation.faults.list(Date.now()) });
      break;
    case 'DELETE /sim/faults':
      simulation.faults.clear();
      answer(200, { faults: [] });
      break;
    case 'POST /sim/faults':
      if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
        answer(415, { error: 'send the fault as content-type application/json' });
      } else {
        postFault(simulation, body, addFault, answer);
      }
      break;
    default:
      answer(404, { error: 'known: GET /sim/state, GET /sim/stats, GET POST DELETE /sim/faults' });
  }
}

function postFault(
  simulation: Simulation,
  body: Buffer | undefined,
  addFault: (fault: SimFault) => void,
  answer: (status: number, body: unknown) => void,
): void {
  const fault = simFaultSchema.safeParse(body && parseJsonObject(body));
  if (!fault.success) {
    const details = fault.error.issues.map(
      (issue) => `${issue.path.join('.') || 'body'}: ${issue.message}`,
    );
    answer(400, { error: 'the fault is not valid', details });
    return;
  }
  addFault(fault.data);
  answer(201, { faults: simulation.faults.list(Date.now()) });
}

export function stateOf(simulation: Simulation): SimState {
  const { options, traffic } = simulation;
  const stats = simulation.engine.stats();
  return {
    simulated: true,
    as: options.as,
    name: options.name,
    models: [...simulation.models.names],
    profile: options.profile,
    speed: options.speed,
    uptime_ms: Math.max(0, Date.now() - simulation.startedAt.getTime()),
    running: stats.running,
    waiting: stats.waiting,
    without_first_byte: traffic.withoutFirstByte,
    streams_running: traffic.streamsRunning,
    requests_total: traffic.requests,
    requests_finished: traffic.finished,
    requests_refused: traffic.refused,
    requests_faulted: traffic.faulted,
    aborted_total: traffic.aborted,
    streams: {
      started: traffic.streamsStarted,
      finished: traffic.streamsFinished,
      aborted: traffic.streamsAborted,
      cut: traffic.streamsCut,
    },
    kv_used_tokens: stats.kvUsedTokens,
    kv_total_tokens: stats.kvTotalTokens,
    prefix_queried_tokens: stats.prefixQueriedTokens,
    prefix_hit_tokens: stats.prefixHitTokens,
    prompt_tokens_total: stats.promptTokensTotal,
    generated_tokens_total: stats.generatedTokensTotal,
    faults: simulation.faults.list(Date.now()),
  };
}

export function statsOf({ work, models }: Simulation): SimStats {
  const stored = models.list();
  return {
    generations_total: work.generations,
    paid_calls_total: work.paidCalls,
    model_wakes_total: models.wakes,
    model_loads_total: models.loads,
    model_unloads_total: models.unloads,
    model_pulls_total: models.pulls,
    vram_total_bytes: models.vramTotalBytes,
    vram_used_bytes: stored.reduce((sum, { vramBytes }) => sum + vramBytes, 0),
    models: stored.map(({ name, state, sizeBytes, vramBytes }) => ({
      name,
      state,
      size_bytes: sizeBytes,
      vram_bytes: vramBytes,
    })),
    paths: work.paths(),
  };
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(127\.|::1$|::ffff:127\.)/.test(address);
}
