// A thousand engines on one port, each at a loopback address of its own: every fifth takes connections
// and never answers. A thread of its own, so that the probes do not wait for it.
import { createServer } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';
import { backendCount, modelsOf, type Shape } from './fleets.ts';

export const silentEvery = 5;

/** The address of a backend: 127.x.y.z, none of them 127.0.0.1. */
export function addressOf(backend: number): string {
  return `127.1.${backend >> 8}.${backend & 255}`;
}

function backendAt(address: string): number {
  const [, , high = '0', low = '0'] = address.split('.');
  return (Number(high) << 8) + Number(low);
}

export function isSilent(backend: number): boolean {
  return backend % silentEvery === silentEvery - 1;
}

function listBody(shape: Shape, backend: number): string {
  const data = modelsOf(shape, backend).map(({ id, contextLength }) => ({
    id,
    object: 'model',
    max_model_len: contextLength,
  }));
  return JSON.stringify({ object: 'list', data });
}

function serve(shape: Shape, tell: (port: number) => void): void {
  const lists = Array.from({ length: backendCount }, (_, backend) => listBody(shape, backend));
  const bodies = new Map<string, (backend: number) => string | undefined>([
    ['/health', () => '{}'],
    ['/version', () => '{"version":"0.10.1"}'],
    ['/v1/models', (backend) => lists[backend]],
  ]);
  const server = createServer((request, response) => {
    const backend = backendAt(request.socket.localAddress ?? '');
    if (isSilent(backend)) return;
    const body = bodies.get(request.url ?? '')?.(backend);
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(body ?? '{}');
  });
  server.listen({ host: '0.0.0.0', port: 0, backlog: 2048 }, () => {
    const address = server.address();
    if (typeof address === 'object' && address !== null) tell(address.port);
  });
}

if (parentPort !== null) {
  const port = parentPort;
  serve((workerData as { readonly shape: Shape }).shape, (number) => port.postMessage(number));
}
