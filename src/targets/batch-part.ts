// Files and batches of OpenAI's API, wired: contents in the data directory, the rest in the database, and
// lines asked through the gateway threads of this process.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Configuration } from '../config/options.ts';
import { gatesOf } from '../core/policy/mode-gates.ts';
import type { ServingMode } from '../core/policy/serving-mode.ts';
import { isKnownModel } from '../core/routing/decide.ts';
import { type RoutingSettings, resolveModel, type Target } from '../core/routing/snapshot.ts';
import { SnapshotReplica } from '../core/routing/snapshot-replica.ts';
import type { PlainSketch } from '../core/statistics/sketch-plain.ts';
import type { KeyTable } from '../io/credentials/key-table.ts';
import { ContentFolder } from '../io/files/content-folder.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import type { Logger } from '../io/log/logger.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents } from '../io/postgres/control-events.ts';
import { inferenceBatchStore } from '../io/postgres/inference-batch-store.ts';
import { inferenceFileStore } from '../io/postgres/inference-file-store.ts';
import { BatchDesk } from '../services/gateway/batch-desk.ts';
import { batchRoutes } from '../services/gateway/batch-routes.ts';
import { BatchRunner } from '../services/gateway/batch-runner.ts';
import { lineSender } from '../services/gateway/batch-sender.ts';
import type { ModelCheck } from '../services/gateway/batch-validation.ts';
import { FileDesk } from '../services/gateway/file-desk.ts';
import { fileRoutes } from '../services/gateway/file-routes.ts';
import { mayUseModel, modelNotFound } from '../services/gateway/model-list.ts';
import { monotonicMs, now, nowSeconds } from './clock.ts';

export type BatchPartOptions = {
  readonly config: Configuration;
  readonly dataFolder: string;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  readonly keys: KeyTable;
  /** What is routed to now, and how. */
  readonly fleet: () => {
    readonly targets: readonly Target[];
    readonly settings: RoutingSettings;
  };
  readonly servingMode: () => ServingMode;
  /** Requests that wait for a backend. */
  readonly queueDepth: () => number;
  readonly controlSocket: () => string;
  readonly isStopping: () => boolean;
};

export type BatchPart = ReturnType<typeof batchPart>;

const tickEveryMs = 250;

export function batchPart(options: BatchPartOptions) {
  const { config, sql, events, keys, log } = options;
  const { limits, server } = config;
  const contents = new ContentFolder(join(options.dataFolder, 'files'));
  const store = inferenceBatchStore(sql, events);
  let timer: NodeJS.Timeout | undefined;

  /** As the gateway would judge it: the key's models, aliases, and what somebody lists. */
  const modelsOf = (keyId: string): ModelCheck => {
    const key = keys.find(keyId, nowSeconds());
    // Its lines will say so.
    if (key === undefined) return () => undefined;
    const { targets, settings } = options.fleet();
    const replica = new SnapshotReplica(settings);
    replica.apply({ version: 1, upsert: targets, remove: [] });
    const { snapshot } = replica;
    return (model) => {
      const asked = resolveModel(snapshot, model);
      const isListed = [asked, ...(settings.fallbacks[asked] ?? [])].some((id) =>
        isKnownModel(snapshot, id),
      );
      if (isListed && mayUseModel(key, model)) return undefined;
      return modelNotFound(snapshot, key, model).message;
    };
  };

  const runner = new BatchRunner({
    store,
    contents,
    send: lineSender(options.controlSocket, server.threads),
    isKeyGood: (keyId) => keys.find(keyId, nowSeconds()) !== undefined,
    modelsOf,
    load: () => ({
      waiting: options.queueDepth(),
      isOpen: gatesOf(options.servingMode()).openAiBatches,
    }),
    isStopping: options.isStopping,
    now,
    monotonicMs,
    newLineId: () => `batch_req_${randomBytes(12).toString('hex')}`,
    linesMax: limits.batchLines,
    // Half of what the key may have in flight: the other half is for what somebody waits for.
    keyLinesMax:
      limits.keyConcurrency === 0
        ? limits.batchLines
        : Math.max(1, Math.floor(limits.keyConcurrency / 2)),
    onFailed: (batch, error) =>
      log.warn({ batch, error: String(error) }, 'a step of a batch failed and is tried again'),
  });
  const files = new FileDesk({
    store: inferenceFileStore(sql, events),
    contents,
    now,
    fileBytesMax: limits.fileBytes,
    groupBytesMax: limits.groupFileBytes,
  });
  const desk = new BatchDesk({ store, runner, now });

  return {
    /** First tokens of interactive streams that a thread has told. */
    saw: (firstTokens: PlainSketch | undefined): void => {
      if (firstTokens !== undefined) runner.saw(firstTokens);
    },
    metricsText: (): string => {
      const { limit, underWay } = runner.lane;
      return (
        '# HELP tensorforge_batch_lines_limit Lines of OpenAI batches that may run at once now.\n' +
        '# TYPE tensorforge_batch_lines_limit gauge\n' +
        `tensorforge_batch_lines_limit ${limit}\n` +
        '# HELP tensorforge_batch_lines Lines of OpenAI batches that run now.\n' +
        '# TYPE tensorforge_batch_lines gauge\n' +
        `tensorforge_batch_lines ${underWay}\n`
      );
    },
    routes: (): readonly ControlRoute[] => [
      ...fileRoutes(files),
      ...batchRoutes({ desk, lane: () => runner.lane }),
    ],
    /** To be awaited before any file is taken in. */
    sweep: (): Promise<void> => files.sweep(),
    /** To be called when the keys are there: a batch whose key is gone ends. */
    async start(): Promise<void> {
      await runner.start();
      timer = setInterval(() => runner.tick(), tickEveryMs);
    },
    async stop(): Promise<void> {
      clearInterval(timer);
      await runner.stop();
    },
  };
}
