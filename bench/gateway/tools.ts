// The programs that load and answer in bench gateway: the mock of mock.c, the client of load.c, wrk.
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { compiled } from '../harness/native.ts';
import type { Processes } from '../harness/processes.ts';
import { type Endpoint, inferencePath } from './requests.ts';

const here = dirname(fileURLToPath(import.meta.url));

/** The compiled programs; undefined where there is no C compiler. */
export async function benchPrograms(
  processes: Processes,
): Promise<{ readonly mock: string; readonly load: string } | undefined> {
  const mock = await compiled(processes, join(here, 'mock.c'));
  const load = await compiled(processes, join(here, 'load.c'));
  return mock === undefined || load === undefined ? undefined : { mock, load };
}

export type Mock = { readonly pid: number; readonly ports: readonly number[] };

/** Starts the mock on `ports` free ports; it ends with this process. */
export async function startMock(
  processes: Processes,
  program: string,
  ports: number,
  log: string,
): Promise<Mock> {
  const { child, pid } = processes.start(program, [String(ports)], { log, pipeOutput: true });
  if (child.stdout === null) throw new Error('the mock has no output');
  for await (const line of createInterface({ input: child.stdout })) {
    const found = line.split(' ').slice(1).map(Number);
    if (found.length !== ports) throw new Error(`the mock said: ${line}`);
    return { pid, ports: found };
  }
  throw new Error('the mock ended before it listened');
}

const statsSchema = z.object({ open: z.int(), requests: z.int(), aborts: z.int() });

export async function mockStats(mock: Mock): Promise<z.infer<typeof statsSchema>> {
  const answer = await fetch(`http://127.0.0.1:${mock.ports[0]}/stats`);
  return statsSchema.parse(await answer.json());
}

const wrkSchema = z.object({
  requests: z.int(),
  seconds: z.number(),
  failed: z.int(),
  p50Us: z.number(),
  p99Us: z.number(),
});
export type WrkResult = z.infer<typeof wrkSchema>;

/** One thread, keep-alive connections, closed loop. */
export async function runWrk(
  processes: Processes,
  endpoint: Endpoint,
  load: { readonly bodyFile: string; readonly connections: number; readonly seconds: number },
): Promise<WrkResult> {
  const args = ['-t1', `-c${load.connections}`, `-d${load.seconds}s`, '-s', join(here, 'post.lua')];
  const output = await processes.run(
    'wrk',
    [...args, `http://127.0.0.1:${endpoint.port}${inferencePath}`],
    {
      timeoutMs: (load.seconds + 20) * 1000,
      env: {
        ...process.env,
        BENCH_BODY: load.bodyFile,
        BENCH_KEY: endpoint.key ?? '',
        BENCH_FIELDS: (endpoint.fields ?? []).map((field) => field.join(': ')).join('\n'),
      },
    },
  );
  const line = /^RESULT (.+)$/m.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk gave no result: ${output}`);
  return wrkSchema.parse(JSON.parse(line));
}

const percentilesSchema = z.object({
  count: z.int(),
  p50_ns: z.number(),
  p95_ns: z.number(),
  p99_ns: z.number(),
  max_ns: z.number(),
});
const sequentialSchema = z.object({ failed: z.int(), time: percentilesSchema });
const streamsSchema = z.object({
  held: z.int(),
  failed: z.int(),
  unfinished: z.int(),
  events: z.int(),
  all_at_once: z.boolean(),
  max_gap_ns: z.number(),
  first: percentilesSchema,
  chunk: percentilesSchema,
});
const abortsSchema = z.object({
  after_event: z.int(),
  before_head: z.int(),
  failed: z.int(),
});

const loadTimeoutMs = 90_000;

/** The modes of load.c; the head of that file says what each measures. */
export class LoadClient {
  readonly #processes: Processes;
  readonly #program: string;

  constructor(processes: Processes, program: string) {
    this.#processes = processes;
    this.#program = program;
  }

  async #run(args: readonly (string | number)[]): Promise<unknown> {
    const words = args.map(String);
    return JSON.parse(
      await this.#processes.run(this.#program, words, { timeoutMs: loadTimeoutMs }),
    );
  }

  async sequential(
    mode: 'latency' | 'ttft',
    port: number,
    request: string,
    count: number,
  ): Promise<z.infer<typeof sequentialSchema>> {
    return sequentialSchema.parse(await this.#run([mode, port, request, count, 200]));
  }

  async streams(
    port: number,
    request: string,
    shape: { readonly count: number; readonly chunks: number; readonly spreadMs: number },
  ): Promise<z.infer<typeof streamsSchema>> {
    const { count, chunks, spreadMs } = shape;
    const args = ['streams', port, request, count, chunks, spreadMs, 30_000];
    return streamsSchema.parse(await this.#run(args));
  }

  async aborts(
    port: number,
    requests: { readonly afterEvent: string; readonly beforeHead: string },
    count: number,
    atOnce: number,
  ): Promise<z.infer<typeof abortsSchema>> {
    const { afterEvent, beforeHead } = requests;
    return abortsSchema.parse(
      await this.#run(['aborts', port, afterEvent, beforeHead, count, atOnce]),
    );
  }
}
