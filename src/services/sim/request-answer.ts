// One request that is not for the control paths. Order: the fault that strikes it; a server that is
// still loading; the key; the route; the body; the handler.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { Exchange } from './exchange.ts';
import { parseJsonObject, readBody } from './json-body.ts';
import { keyRefusal } from './keys.ts';
import { badRequest, loading } from './refusals.ts';
import { type RouteMatch, restOf, routeFor } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';
import { TrafficEntry } from './traffic.ts';

export async function answerRequest(
  simulation: Simulation,
  routes: readonly Route[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { options, work, faults, traffic } = simulation;
  const target = request.url ?? '/';
  const path = target.split('?', 1)[0] ?? '/';
  const method = request.method ?? 'GET';
  work.asked(method, path);
  const match = routeFor(routes, method, path);
  const inference = match.route?.inference === true;
  const fault = faults.strike(path, inference, Date.now());
  const entry = inference ? new TrafficEntry(traffic) : undefined;
  const exchange = new Exchange(options.as, target, response, fault, entry);
  const body = await readBody(request);
  if (exchange.over || answeredByFault(exchange)) return;
  if (isStarting(simulation)) {
    exchange.refuse(loading(options.as));
    return;
  }
  const denied = match.route?.open === true ? undefined : keyRefusal(options, request);
  if (denied !== undefined) exchange.refuse(denied);
  else dispatch(exchange, match, method, body);
}

function dispatch(
  exchange: Exchange,
  { route, isKnownPath }: RouteMatch,
  method: string,
  body: Buffer | undefined,
): void {
  if (route === undefined) {
    refuseUnknown(exchange, method, isKnownPath);
    return;
  }
  if (body === undefined) {
    exchange.refuse({ status: 413, message: 'Body too large' });
    return;
  }
  const json = route.method === 'GET' ? {} : parseJsonObject(body);
  if (json === undefined) exchange.refuse(badRequest('The body is not a JSON object.'));
  else route.handle(exchange, json, restOf(route, exchange.path));
}

function refuseUnknown(exchange: Exchange, method: string, isKnownPath: boolean): void {
  if (exchange.face === 'lmstudio') {
    // "Returning 200 anyway", as its log says: lmstudio-ai/lmstudio-bug-tracker.
    exchange.json({ error: `Unexpected endpoint or method. (${method} ${exchange.path})` });
  } else if (isKnownPath) {
    exchange.refuse({ status: 405, message: 'Method Not Allowed' });
  } else {
    exchange.refuse({ status: 404, message: 'Not Found' });
  }
}

/** A llama-server that has not read its model yet says so on every route. */
function isStarting(simulation: Simulation): boolean {
  if (!hasQuirk(simulation, 'llamacpp-loading')) return false;
  const { options, models, startedAt } = simulation;
  return Date.now() - startedAt.getTime() < models.loadMsOf(options.models[0] ?? '');
}

/** Faults that answer, or withhold the answer, by themselves; the others act in the exchange. */
function answeredByFault(exchange: Exchange): boolean {
  const { fault } = exchange;
  switch (fault?.kind) {
    case 'reset':
      exchange.reset();
      return true;
    case 'hang':
      return true; // Until the client has enough.
    case 'bad_headers':
      exchange.badHeaders();
      return true;
    case 'loading':
      exchange.faultAnswer(loading(exchange.face));
      return true;
    case '500':
      exchange.faultAnswer({ status: 500, message: 'Simulated internal error' });
      return true;
    case '401':
      exchange.faultAnswer({ status: 401, message: 'Invalid API Key', code: 'invalid_api_key' });
      return true;
    case '429':
      exchange.faultAnswer({
        status: 429,
        message: 'Rate limit reached',
        code: 'rate_limit_exceeded',
        headers: { 'retry-after': String(fault.retry_after ?? 1) },
      });
      return true;
    default:
      return false;
  }
}
