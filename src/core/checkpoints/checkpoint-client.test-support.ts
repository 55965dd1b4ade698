// A thread of a training that saves: it holds no checkpoint itself, but sends its commands to the thread
// that owns them and waits for each answer.

import { parentPort, workerData } from 'node:worker_threads';

export type ClientTask = { readonly thread: number; readonly saves: number };

export type ClientCommand =
  | { readonly kind: 'save'; readonly step: number; readonly type: 'full' | 'incremental' }
  | { readonly kind: 'complete' | 'corrupt' | 'delete'; readonly id: string }
  | { readonly kind: 'gc' };

/** The id that the command made, or whether it was allowed. */
export type ClientAnswer = { readonly id?: string; readonly ok: boolean };

const port = parentPort;
if (port !== null) {
  const ask = (command: ClientCommand): Promise<ClientAnswer> =>
    new Promise((resolve) => {
      port.once('message', resolve);
      port.postMessage(command);
    });
  const { thread, saves }: ClientTask = workerData;
  for (let i = 0; i < saves; i += 1) {
    const step = i + 1;
    const { id } = await ask({ kind: 'save', step, type: i % 3 === 0 ? 'full' : 'incremental' });
    if (id === undefined) throw new Error('a save has an id');
    if ((i + thread) % 7 === 0) await ask({ kind: 'corrupt', id });
    await ask({ kind: 'complete', id });
    if ((i + thread) % 4 === 0) await ask({ kind: 'gc' });
    if ((i + thread) % 5 === 0) await ask({ kind: 'delete', id });
  }
  port.close();
}
