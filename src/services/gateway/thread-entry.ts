// Where a gateway thread begins. A thread has a compile cache of its own to turn on, and it must be
// on before the modules load: that is two thirds of the time a thread takes to start.

import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';
import type { ThreadStart } from './messages.ts';

const { compileCache } = workerData as ThreadStart;
if (compileCache !== undefined) enableCompileCache(compileCache);
await import('./thread.ts');
