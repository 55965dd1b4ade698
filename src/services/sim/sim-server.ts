// The simulated model server: a node:http server that speaks the protocol of one real server over
// one simulated engine. All its models share that engine, as they would share a GPU.
//
// Order for each request: control paths (/sim, loopback only); the fault that strikes it; the key;
// the route; the body; the handler.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { engineProfiles } from '../../core/workload/engine/constants.ts';
import { EngineModel } from '../../core/workload/engine/engine-model.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SimFault, SimState } from '../../protocol/sim/schemas.ts';
import { answerControl, stateOf } from './control.ts';
import { EngineDriver } from './engine-driver.ts';
import { EngineMetrics } from './engine-metrics.ts';
import { llamacppRoutes, vllmRoutes } from './engine-routes.ts';
import { Exchange } from './exchange.ts';
import { FaultPlan } from './fault-plan.ts';
import { parseJsonObject, readBody } from './json-body.ts';
import { ollamaRoutes } from './ollama-routes.ts';
import { openaiRoutes } from './openai-routes.ts';
import { type ResolvedSimOptions, resolveSimOptions, type SimOptions } from './options.ts';
import { badRequest, loading } from './refusals.ts';
import type { Route, Simulation } from './simulation.ts';
import { Traffic, TrafficEntry } from './traffic.ts';

export type RunningSim = {
  readonly url: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
  readonly stats: () => SimState;
};

/** How long `refuse` keeps the port closed where it names no time, ms. */
const refuseMs = 5000;
/** Long, so that a client's kept connection is not closed just as it is used again. */
const keepAliveTimeoutMs = 75_000;

/** Starts listening. Throws `config_invalid` for bad options or a port that cannot be had. */
export async function startSim(options: SimOptions): Promise<RunningSim> {
  const resolved = resolveSimOptions(options);
  const simulation = simulationOf(resolved);
  const routes = routesOf(simulation);
  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(asError(error)));
  });
  server.keepAliveTimeout = keepAliveTimeoutMs;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n');
  });
  const port = await listen(server, resolved.host, resolved.port);
  let reopen: NodeJS.Timeout | undefined;

  const refuse = (fault: SimFault): void => {
    clearTimeout(reopen);
    server.close();
    server.closeIdleConnections();
    reopen = setTimeout(() => {
      if (!server.listening) server.listen(port, resolved.host);
    }, fault.duration_ms ?? refuseMs);
  };
  const addFault = (fault: SimFault): void => {
    if (fault.kind === 'refuse') refuse(fault);
    else simulation.faults.add(fault, Date.now());
  };
  resolved.faults.forEach(addFault);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A connection that outlives the listener must not become a way around `refuse`.
    if (!server.listening) response.shouldKeepAlive = false;
    const path = request.url?.split('?', 1)[0] ?? '/';
    if (path.startsWith('/sim/')) {
      await answerControl(simulation, request, response, path, (fault) => {
        addFault(fault);
        if (fault.kind === 'refuse') response.shouldKeepAlive = false;
      });
      return;
    }
    const route = routes.find((known) => matches(known, path) && sameMethod(known, request));
    const inference = route?.inference === true;
    const fault = simulation.faults.strike(path, inference, Date.now());
    const entry = inference ? new TrafficEntry(simulation.traffic) : undefined;
    const exchange = new Exchange(resolved.as, path, response, fault, entry);
    const body = await readBody(request);
    if (exchange.over || answeredByFault(exchange)) return;
    if (route?.open !== true && !keyFits(resolved, request)) {
      exchange.refuse({ status: 401, message: 'Invalid API Key', code: 'invalid_api_key' });
      return;
    }
    if (route === undefined) {
      const known = routes.some((other) => matches(other, path));
      const status = known ? 405 : 404;
      exchange.refuse({ status, message: known ? 'Method Not Allowed' : 'Not Found' });
      return;
    }
    if (body === undefined) {
      exchange.refuse({ status: 413, message: 'Body too large' });
      return;
    }
    const json = route.method === 'GET' ? {} : parseJsonObject(body);
    if (json === undefined) {
      exchange.refuse(badRequest('The body is not a JSON object.'));
      return;
    }
    route.handle(exchange, json, path.slice(route.path.length));
  }

  return {
    url: `http://${urlHost(resolved.host)}:${port}`,
    port,
    stats: () => stateOf(simulation),
    async stop() {
      clearTimeout(reopen);
      simulation.engine.stop();
      const closed = server.listening ? once(server, 'close') : Promise.resolve();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function simulationOf(options: ResolvedSimOptions): Simulation {
  const engine = new EngineModel({
    profile: engineProfiles[options.profile],
    maxRunning: options.maxRunning,
    maxWaiting: options.maxWaiting,
    kvTokens: options.kvTokens,
    contextTokens: options.contextLength,
  });
  const metrics = new EngineMetrics(options.speed);
  let number = 0;
  return {
    options,
    engine: new EngineDriver(engine, options.speed, metrics),
    faults: new FaultPlan(options.seed),
    metrics,
    traffic: new Traffic(),
    startedAt: new Date(),
    nextNumber: () => ++number,
  };
}

function routesOf(simulation: Simulation): readonly Route[] {
  const common = openaiRoutes(simulation);
  switch (simulation.options.as) {
    case 'ollama':
      return [...common, ...ollamaRoutes(simulation)];
    case 'vllm':
      return [...common, ...vllmRoutes(simulation)];
    case 'llamacpp':
      return [...common, ...llamacppRoutes(simulation)];
    case 'openai':
      return common;
  }
}

function matches(route: Route, path: string): boolean {
  if (route.path.length > 1 && route.path.endsWith('/')) {
    return path.startsWith(route.path) && path.length > route.path.length;
  }
  return path === route.path;
}

function sameMethod(route: Route, request: IncomingMessage): boolean {
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  return route.method === method;
}

function keyFits(options: ResolvedSimOptions, request: IncomingMessage): boolean {
  const key = options.apiKey?.reveal();
  return key === undefined || request.headers.authorization === `Bearer ${key}`;
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
    case '401':
      exchange.faultAnswer({ status: 401, message: 'Invalid API Key', code: 'invalid_api_key' });
      return true;
    case '500':
      exchange.faultAnswer({ status: 500, message: 'Simulated internal error' });
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

async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (cause) {
    const reason = asError(cause).message;
    throw new TensorForgeError(
      'config_invalid',
      `simulated server: cannot listen on ${urlHost(host)}:${port}: ${reason}; choose another --port`,
      { cause },
    );
  }
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : port;
}

function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function asError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
