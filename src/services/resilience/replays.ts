// Replays that were asked for: at most one runs, the newest twenty are kept. A replay is written down
// before it starts, and what the threads hold back is flushed first, so that it sees its own asker.
//
//   (asked) -> written -> flushed -> running -> done | failed
//
//   R1  At most one replay runs at a time.
//   R2  Every replay that began ends as done or failed, also when its thread dies.

import { Ring } from '../../base/ring.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ReplayReportWire } from '../../protocol/control/trust-schemas.ts';
import type { ReplayOptions } from './replay-folder.ts';

/** Runs one replay elsewhere. */
export type ReplayRunner = (
  task: ReplayTask,
  onProgress: (report: ReplayReportWire) => void,
) => { readonly report: Promise<ReplayReportWire>; stop(): Promise<void> };

export type ReplayTask = {
  readonly id: string;
  readonly folder: string;
  readonly options: ReplayOptions;
};

export type ReplaysPorts = {
  /** Folder of the decision log. */
  readonly folder: string;
  /** Has every thread write down what it holds. */
  readonly flush: () => Promise<void>;
  /** Writes the event `replay_requested` of stream `resilience`. */
  readonly tell: (request: {
    readonly id: string;
    readonly actor: string;
    readonly data: ReplayRequested;
  }) => Promise<void>;
  readonly newId: () => string;
  readonly run: ReplayRunner;
};

/** What the event holds besides actor and subject. */
export type ReplayRequested = {
  readonly from: string | undefined;
  readonly to: string | undefined;
  readonly request_id: string | undefined;
  /** Digest of the candidate policy. */
  readonly candidate: string | undefined;
};

const replaysKept = 20;

type Entry = { readonly id: string; report: ReplayReportWire; stop: () => Promise<void> };

/** The report of a replay that has read nothing yet. */
export function emptyReport(id: string): ReplayReportWire {
  return {
    id,
    state: 'running',
    words: 'Running: nothing read yet.',
    from: null,
    to: null,
    seconds: 0,
    decisions: 0,
    by_kind: {},
    skipped: {},
    divergences: 0,
    first_divergence: null,
    gaps: [],
    progress: 0,
    failure: null,
    faults: [],
    candidate: null,
  };
}

function failedReport(report: ReplayReportWire, error: unknown): ReplayReportWire {
  const failure = error instanceof Error ? error.message : String(error);
  return { ...report, state: 'failed', failure, words: `The replay failed: ${failure}` };
}

export class Replays {
  readonly #ports: ReplaysPorts;
  readonly #entries = new Ring<Entry>(replaysKept);
  #running: string | undefined;

  constructor(ports: ReplaysPorts) {
    this.#ports = ports;
  }

  /** Newest first. */
  list(): readonly ReplayReportWire[] {
    return this.#entries
      .toArray()
      .reverse()
      .map((entry) => entry.report);
  }

  get(id: string): ReplayReportWire | undefined {
    return this.#entries.toArray().find((entry) => entry.id === id)?.report;
  }

  /**
   * Begins a replay and answers with its first report.
   * @throws TensorForgeError operation_in_progress while another one runs.
   */
  async start(
    options: ReplayOptions,
    actor: string,
    data: ReplayRequested,
  ): Promise<ReplayReportWire> {
    if (this.#running !== undefined) {
      const words = `Replay ${this.#running} still runs; one runs at a time.`;
      throw new TensorForgeError('operation_in_progress', words);
    }
    const id = this.#ports.newId();
    // Taken before anything is waited for, so that a second asker meets it.
    this.#running = id;
    try {
      await this.#ports.tell({ id, actor, data });
      await this.#ports.flush();
    } catch (error) {
      this.#running = undefined;
      throw error;
    }
    return this.#run({ id, folder: this.#ports.folder, options });
  }

  /** Stops the running one, if any, and waits until its thread is gone. */
  async close(): Promise<void> {
    const entry = this.#entries.toArray().find(({ id }) => id === this.#running);
    await entry?.stop();
  }

  #run(task: ReplayTask): ReplayReportWire {
    const entry: Entry = { id: task.id, report: emptyReport(task.id), stop: async () => {} };
    this.#entries.push(entry);
    const { report, stop } = this.#ports.run(task, (progress) => {
      if (entry.report.state === 'running') entry.report = progress;
    });
    entry.stop = stop;
    const ended = report.then(
      (done) => {
        entry.report = done;
      },
      (error: unknown) => {
        entry.report = failedReport(entry.report, error);
      },
    );
    void ended.then(() => {
      this.#running = undefined;
    });
    return entry.report;
  }
}
