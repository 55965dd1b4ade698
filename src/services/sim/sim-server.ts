// The simulated model server: a node:http server that speaks the protocol of one real server over
// one simulated engine. All its models share that engine, as they would share a GPU.
// The control paths (/sim) are control.ts, all others request-answer.ts.

import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { SimFault, SimState, SimStats } from '../../protocol/sim/schemas.ts';
import { answerControl, stateOf, statsOf } from './control.ts';
import { resolveSimOptions, type SimOptions } from './options.ts';
import { answerRequest } from './request-answer.ts';
import { routesOf } from './routes.ts';
import { simulationOf } from './simulation.ts';

export type RunningSim = {
  readonly url: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
  /** Ends a `refuse` before its time; resolves once the port takes connections again. */
  readonly reopen: () => Promise<void>;
  readonly stats: () => SimState;
  /** What it was made to do: generations, paid calls, wake-ups, and who asked which path. */
  readonly work: () => SimStats;
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
  let closedFor: NodeJS.Timeout | undefined;

  const refuse = (fault: SimFault): void => {
    clearTimeout(closedFor);
    server.close();
    server.closeIdleConnections();
    closedFor = setTimeout(() => {
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
    await answerRequest(simulation, routes, request, response);
  }

  return {
    url: `http://${urlHost(resolved.host)}:${port}`,
    port,
    stats: () => stateOf(simulation),
    work: () => statsOf(simulation),
    async reopen() {
      clearTimeout(closedFor);
      if (!server.listening) await listen(server, resolved.host, port);
    },
    async stop() {
      clearTimeout(closedFor);
      simulation.engine.stop();
      simulation.models.stop();
      const closed = server.listening ? once(server, 'close') : Promise.resolve();
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
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
