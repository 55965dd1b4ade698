// Asks the lines of OpenAI batches, as many at once as the lane allows, and writes down what they came
// to. What is held here can be lost: the durable state is in the store.
//
//   I1  a line is asked only while its batch is in progress and its answer is not written down.
//   I2  an answer is final when it is written; a line that was under way at a crash is asked again.
//   I3  no more lines are under way than the lane allows, and of the groups that have lines the one with
//       the fewest under way comes first. Of one key there are never so many that it would find its
//       own limit with its other requests.

import {
  firstLane,
  type LaneReading,
  type LaneState,
  mayStartLine,
  stepLane,
} from '../../core/batches/batch-lane.ts';
import { FirstTokenWindow } from '../../core/batches/first-token-window.ts';
import { judgeLine } from '../../core/batches/line-verdict.ts';
import type { PlainSketch } from '../../core/statistics/sketch-plain.ts';
import type { StoredBatch } from '../../io/postgres/inference-batch-store.ts';
import { answeredLine, unansweredLine } from '../../protocol/openai/batch-line.ts';
import { inputLines } from './batch-input.ts';
import { BatchRun, type OpenLine } from './batch-run.ts';
import type { SendLine, SentAnswer } from './batch-sender.ts';
import { BatchSteps, endpointOf, type StepPorts, unreadableInput } from './batch-steps.ts';

export type RunnerPorts = Omit<StepPorts, 'run'> & {
  readonly send: SendLine;
  /** Is the key of this id good now? */
  readonly isKeyGood: (keyId: string) => boolean;
  /** What the lane goes by, besides what the runner itself knows. */
  readonly load: () => Pick<LaneReading, 'waiting' | 'isOpen'>;
  /** No line is started any more. */
  readonly isStopping: () => boolean;
  /** Lines that may ever be under way at once. */
  readonly linesMax: number;
  /** Of one key, which has other requests to make as well. */
  readonly keyLinesMax: number;
};

const revokedError = {
  code: 'key_revoked',
  message: 'The API key that made the batch was revoked or has expired.',
};
/** How long a batch rests of which nothing could be asked. */
const restMs = 1000;
/** However long a limit of its key says. */
const longRestMs = 60_000;

export class BatchRunner {
  readonly #ports: RunnerPorts;
  readonly #steps: BatchSteps;
  readonly #runs = new Map<string, BatchRun>();
  readonly #recording = new Map<BatchRun, Promise<boolean>>();
  readonly #window = new FirstTokenWindow();
  #lane: LaneState = firstLane();
  #underWay = 0;

  constructor(ports: RunnerPorts) {
    this.#ports = ports;
    this.#steps = new BatchSteps({ ...ports, run: (batch) => this.#run(batch) });
  }

  get lane(): LaneState & { readonly underWay: number } {
    return { ...this.#lane, underWay: this.#underWay };
  }

  /** Goes on with what had not ended. */
  async start(): Promise<void> {
    for (const batch of await this.#ports.store.open()) this.#steps.advance(batch);
  }

  /** A batch that was just made. */
  created(batch: StoredBatch): void {
    this.#steps.advance(batch);
  }

  /** Its maker wants no more of it: what is under way is ended, what was answered is kept. */
  async cancelled({ batchId }: StoredBatch): Promise<void> {
    await this.#steps.settled(batchId);
    const run = this.#runs.get(batchId);
    if (run !== undefined) {
      run.close();
      await this.#recordAll(run);
      this.#runs.delete(batchId);
    }
    await this.#steps.resume(batchId);
  }

  /** What first tokens of interactive streams took since the last call. */
  saw(firstTokens: PlainSketch): void {
    this.#window.add(firstTokens, this.#ports.monotonicMs());
  }

  /** Called four times a second. */
  tick(): void {
    this.#steps.retry();
    const nowMs = this.#ports.monotonicMs();
    const isShared = this.#window.isUsed(nowMs);
    const firstTokens = this.#window.take(nowMs);
    this.#stepLane({ turnedAway: 0, isShared, firstTokens });
    for (const run of this.#runs.values()) this.#look(run);
    this.#pump();
  }

  /** Asks nobody any more and writes down what is there; the rest goes on at the next start. */
  async stop(): Promise<void> {
    this.#steps.stop();
    for (const run of this.#runs.values()) run.close();
    await Promise.all([...this.#runs.values()].map((run) => this.#recordAll(run)));
    this.#runs.clear();
  }

  #stepLane(seen: Pick<LaneReading, 'turnedAway' | 'isShared' | 'firstTokens'>): void {
    const nowMs = this.#ports.monotonicMs();
    const reading = { ...this.#ports.load(), ...seen, nowMs, inFlight: this.#underWay };
    this.#lane = stepLane(this.#lane, reading, this.#ports.linesMax);
  }

  // ---- one batch ---------------------------------------------------------------------------

  async #run(batch: StoredBatch): Promise<void> {
    const { batchId, inputFileId, cursor } = batch;
    const answered = new Set(await this.#ports.store.answered(batchId, cursor.line));
    const input = inputLines(this.#ports.contents.read(inputFileId, cursor.byte), cursor);
    const run = new BatchRun(batch, endpointOf(batch), input, answered);
    this.#runs.set(batchId, run);
    this.#look(run);
  }

  /** What is due with this batch: end, write, read ahead. */
  #look(run: BatchRun): void {
    if (run.isClosed) return;
    if (run.isDone || this.#ports.now() >= run.batch.expiresAt) {
      run.close();
      void this.#finalize(run);
      return;
    }
    if (run.hasUnwritten) void this.#record(run);
    run.fill().then(
      () => {
        if (run.isDone) this.#look(run);
        else this.#pump();
      },
      (error: unknown) => this.#unreadable(run, error),
    );
  }

  async #finalize(run: BatchRun): Promise<void> {
    const { batchId } = run.batch;
    await this.#recordAll(run);
    this.#runs.delete(batchId);
    try {
      const at = this.#ports.now();
      const from = ['in_progress'] as const;
      await this.#ports.store.move({ batchId, from, to: 'finalizing', at, event: undefined });
      await this.#steps.resume(batchId);
    } catch (error) {
      this.#steps.failed(batchId, error);
    }
  }

  #unreadable(run: BatchRun, error: unknown): void {
    if (run.isClosed) return;
    run.close();
    this.#runs.delete(run.batch.batchId);
    this.#ports.onFailed(run.batch.batchId, error);
    void this.#steps.fail(run.batch, unreadableInput);
  }

  /** Writes down some answers; false when that failed, and it is tried again with the next look. */
  #record(run: BatchRun): Promise<boolean> {
    const underWay = this.#recording.get(run);
    if (underWay !== undefined) return underWay;
    const recorded = this.#write(run).finally(() => {
      this.#recording.delete(run);
    });
    this.#recording.set(run, recorded);
    void recorded.then((isWritten) => {
      if (isWritten) this.#look(run);
    });
    return recorded;
  }

  async #write(run: BatchRun): Promise<boolean> {
    const { results, cursor } = run.toWrite();
    try {
      await this.#ports.store.record(run.batch.batchId, results, cursor);
      run.written(results);
      return true;
    } catch (error) {
      this.#ports.onFailed(run.batch.batchId, error);
      return false;
    }
  }

  /** As far as the store takes it: what it does not is asked again. */
  async #recordAll(run: BatchRun): Promise<void> {
    while (run.hasUnwritten) if (!(await this.#record(run))) return;
  }

  // ---- lines -------------------------------------------------------------------------------

  /** Of the group with the fewest lines under way that has one to ask, the oldest batch. */
  #nextRun(nowMs: number): BatchRun | undefined {
    const byGroup = new Map<string, number>();
    const byKey = new Map<string, number>();
    for (const { batch, underWay } of this.#runs.values()) {
      byGroup.set(batch.groupName, (byGroup.get(batch.groupName) ?? 0) + underWay);
      byKey.set(batch.keyId, (byKey.get(batch.keyId) ?? 0) + underWay);
    }
    let next: BatchRun | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (const run of this.#runs.values()) {
      const underWay = byGroup.get(run.batch.groupName) ?? 0;
      const isKeyBusy = (byKey.get(run.batch.keyId) ?? 0) >= this.#ports.keyLinesMax;
      if (underWay >= fewest || isKeyBusy || !run.mayTake(nowMs)) continue;
      next = run;
      fewest = underWay;
    }
    return next;
  }

  #pump(): void {
    const nowMs = this.#ports.monotonicMs();
    while (!this.#ports.isStopping() && mayStartLine(this.#lane, this.#underWay)) {
      const run = this.#nextRun(nowMs);
      if (run === undefined) return;
      void this.#ask(run);
    }
  }

  async #ask(run: BatchRun): Promise<void> {
    const { line, signal } = run.take();
    const { keyId } = run.batch;
    if (!this.#ports.isKeyGood(keyId)) {
      this.#refuse(run, line);
      return;
    }
    this.#underWay++;
    const { endpoint } = run;
    const sent = await this.#ports.send({ endpoint, keyId, body: line.body, signal });
    this.#underWay--;
    if (!run.isClosed) this.#judge(run, line, sent);
    this.#pump();
  }

  #judge(run: BatchRun, line: OpenLine, sent: SentAnswer): void {
    const attempts = line.attempts + 1;
    const verdict = judgeLine(sent.answer, attempts);
    switch (verdict) {
      case 'result':
      case 'error':
        this.#answer(run, line, sent, verdict === 'error');
        return;
      case 'key_revoked':
        this.#refuse(run, line);
        return;
      case 'turned_away':
        run.again(line, line.attempts);
        // While others of it run it is a matter of how many; else of when.
        if (run.underWay > 0) {
          this.#stepLane({ turnedAway: 1, isShared: true, firstTokens: undefined });
        } else this.#rest(run, restMs);
        return;
      case 'limited':
        run.again(line, line.attempts);
        this.#rest(run, Math.min(Math.max(sent.retryAfterMs, restMs), longRestMs));
        return;
      case 'failed':
        run.again(line, attempts);
        if (sent.answer.kind === 'broken') this.#rest(run, restMs);
        return;
    }
  }

  #rest(run: BatchRun, forMs: number): void {
    run.restUntilMs = this.#ports.monotonicMs() + forMs;
  }

  #answer(run: BatchRun, line: OpenLine, sent: SentAnswer, isError: boolean): void {
    const { answer, requestId, body } = sent;
    const status = answer.kind === 'answered' ? answer.status : 0;
    const response = { status, requestId, body };
    const text = answeredLine(this.#ports.newLineId(), line.customId, response);
    run.answer({ line: line.line, isError, text });
    this.#look(run);
  }

  #refuse(run: BatchRun, line: OpenLine): void {
    const text = unansweredLine(this.#ports.newLineId(), line.customId, revokedError);
    run.answer({ line: line.line, isError: true, text });
    this.#look(run);
  }
}
