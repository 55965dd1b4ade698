// The port is first bound exclusively: threads of ours may share it afterwards, but a port that
// somebody else holds is told at once, before anything is started.

import { createServer } from 'node:net';
import { TensorForgeError } from '../errors/tensorforge-error.ts';

/** The port that can be had: the one asked for, or a free one for 0. */
export async function probePort(host: string, port: number): Promise<number> {
  const server = createServer();
  try {
    return await new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, exclusive: true }, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : port);
      });
    });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const words =
      code === 'EADDRINUSE'
        ? `port ${port} of ${host} is in use: stop what listens there, or choose another with --port`
        : code === 'EACCES'
          ? `port ${port} needs more rights than this user has: choose one above 1023 with --port`
          : `cannot listen on ${host}:${port} (${code}): choose another --host or --port`;
    throw new TensorForgeError('config_invalid', words, { cause: error });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}
