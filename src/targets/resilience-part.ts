// The decision log, wired: the names of snapshots, the stream of the control thread, what stays on disk
// and for how long, its anchors in the audit trail, verification, replay and explain.

import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { instant } from '../base/time.ts';
import type { Configuration } from '../config/options.ts';
import type { ModeRecord } from '../core/policy/mode-record.ts';
import type { ControlRoute } from '../io/http/control-route.ts';
import type { Logger } from '../io/log/logger.ts';
import { LocalStore } from '../io/objects/local-store.ts';
import type { ObjectStore } from '../io/objects/object-store.ts';
import { openS3Store } from '../io/objects/s3-store.ts';
import type { Sql } from '../io/postgres/connection.ts';
import type { ControlEvents, EventToAppend } from '../io/postgres/control-events.ts';
import { type KeeperNote, SegmentKeeper } from '../io/segments/segment-keeper.ts';
import { listSegments } from '../io/segments/segment-list.ts';
import { SnapshotFiles } from '../io/segments/snapshot-files.ts';
import type { DecisionWire } from '../protocol/control/schemas.ts';
import { DecisionJournal, type JournalReport } from '../services/gateway/decision-journal.ts';
import { JournalFigures } from '../services/gateway/journal-figures.ts';
import type { Attention } from '../services/gateway/overview.ts';
import { decisionRoutes } from '../services/resilience/decision-routes.ts';
import { DecisionStore } from '../services/resilience/decision-store.ts';
import { FolderSource } from '../services/resilience/folder-source.ts';
import { verifyLog } from '../services/resilience/log-verification.ts';
import { redeciders } from '../services/resilience/redeciders.ts';
import { replayRoutes } from '../services/resilience/replay-routes.ts';
import { runInWorker } from '../services/resilience/replay-runner.ts';
import { Replays } from '../services/resilience/replays.ts';
import { SealedSegments } from '../services/resilience/sealed-segments.ts';
import { type NamedChange, SnapshotPublisher } from '../services/resilience/snapshot-publisher.ts';
import { monotonicMs, now } from './clock.ts';
import { journalSettings, routingSettings } from './gateway-settings.ts';

export type ResiliencePartOptions = {
  readonly config: Configuration;
  readonly dataFolder: string;
  readonly build: string;
  readonly sql: Sql;
  readonly events: ControlEvents;
  readonly log: Logger;
  /** A change of the fleet, named, for every gateway thread. */
  readonly onTargets: (change: NamedChange) => void;
  /** Has every gateway thread write down what it holds. */
  readonly flush: () => Promise<void>;
  /** The newest hundred decisions in memory, newest first. */
  readonly recent: {
    list(limit: number): readonly DecisionWire[];
    find(id: string): DecisionWire | undefined;
  };
};

const mb = 1_000_000;
const dayMs = 86_400_000;
const sweepEveryMs = 100;
/** Between two looks at the disk that the log takes. */
const tendEveryMs = 30_000;

/** A folder, or `s3://bucket/prefix`; credentials and region as the client of S3 finds them. */
async function openArchive(place: string): Promise<ObjectStore> {
  const parts = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(place);
  if (parts === null) return new LocalStore(place);
  const [, bucket = '', prefix = ''] = parts;
  const endpoint = process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'];
  return openS3Store({
    bucket,
    region: process.env['AWS_REGION'] ?? 'us-east-1',
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    ...(endpoint === undefined ? {} : { endpoint }),
  });
}

const noFilter = {
  fromMs: undefined,
  toMs: undefined,
  model: undefined,
  backend: undefined,
  outcome: undefined,
  after: undefined,
} as const;

export type ResiliencePart = Awaited<ReturnType<typeof resiliencePart>>;

export async function resiliencePart(options: ResiliencePartOptions) {
  const { config, log, sql, events } = options;
  const folder = join(options.dataFolder, 'decisions');
  const settings = journalSettings(config, folder, options.build);
  const snapshots = new SnapshotFiles(folder, now);
  const publisher = new SnapshotPublisher(routingSettings(config), {
    put: settings === undefined ? undefined : (digest, text) => snapshots.put(digest, text),
    send: options.onTargets,
    later: setImmediate,
    onTrouble: (error) =>
      log.error({ error: String(error) }, 'a snapshot could not be kept for the decision log'),
  });
  const append = async (list: readonly EventToAppend[]): Promise<void> => {
    await sql.begin((tx) => events.append(tx, list));
  };
  const sealed = new SealedSegments({
    sql,
    append,
    now,
    onError: (error) =>
      log.error({ error: String(error) }, 'a sealed segment could not be told to the audit yet'),
  });
  const troubles = new Map<string, string>();
  const journal = DecisionJournal.open(settings, 'control', {
    monotonicMs,
    wallMs: now,
    onSealed: (segment) => sealed.add(segment),
    onTrouble: (words) => log.error(words),
  });
  const journals = new JournalFigures(journal);
  const onNote = (note: KeeperNote): void => {
    const { kind, ...facts } = note;
    const isBad = kind.endsWith('failed') || (kind === 'removed' && note.isLost);
    log[isBad ? 'warn' : 'info'](facts, `decision log: segment ${kind.replace('_', ' ')}`);
    if (kind === 'archive_failed' || kind === 'remove_failed') {
      troubles.set(kind, `decision log: ${kind.replace('_', ' ')}: ${note.name}, ${note.reason}`);
    } else if (kind === 'archived') troubles.delete('archive_failed');
    else troubles.delete('remove_failed');
  };
  const keeper = new SegmentKeeper({
    folder,
    budgetBytes: config.decisions.diskMb * mb,
    retentionMs: config.decisions.retentionDays * dayMs,
    ...(config.decisions.archive === undefined
      ? {}
      : { archive: await openArchive(config.decisions.archive) }),
    onNote,
  });
  const tend = (): void => {
    if (settings === undefined) return;
    publisher.keep();
    keeper.tend(now()).catch((error: unknown) => {
      log.error({ error: String(error) }, 'the folder of the decision log cannot be read');
    });
    void sealed.write();
  };
  /** Segments that were sealed just before the last end, untold. */
  const reconcile = (): void => {
    const known = listSegments(folder).flatMap(({ number, isOpen, records, hash, ...rest }) =>
      isOpen || records === null || hash === null
        ? []
        : [{ ...rest, segment: number, records, hash }],
    );
    sealed.reconcile(known).catch((error: unknown) => {
      log.warn({ error: String(error) }, 'sealed segments could not be compared with the audit');
    });
  };
  const flush = async (): Promise<void> => {
    await Promise.all([options.flush(), journal.flush()]);
  };
  const replays = new Replays({
    folder,
    flush,
    tell: ({ id, actor, data }) =>
      append([
        {
          stream: 'resilience',
          kind: 'replay_requested',
          version: 1,
          occurredAt: now(),
          actor,
          subject: `replay:${id}`,
          data,
        },
      ]),
    newId: () => randomUUID(),
    run: runInWorker,
  });
  const store =
    settings === undefined
      ? undefined
      : new DecisionStore(
          () => new FolderSource(folder),
          (source) => ({
            redeciders: redeciders(source),
            snapshotOf: (digest) => source.snapshotOf(digest),
          }),
        );
  let timers: NodeJS.Timeout[] = [];

  return {
    settings,
    publisher,
    sealed: (segment: Parameters<SealedSegments['add']>[0]) => sealed.add(segment),
    /** An evaluation of the serving mode. */
    record: (at: number, { name, version, input, output }: ModeRecord): void =>
      journal.control({ name, version, input, output }, instant(at)),
    reported: (stream: string, report: JournalReport): void => {
      journals.reported(stream, report);
    },
    figures: () => ({
      decisionRecords: journals.records,
      decisionsDropped: journals.dropped,
      decisionBytes: keeper.stats().bytes,
    }),
    /** The newest requests with an outcome, newest first. */
    async newest(limit: number): Promise<readonly DecisionWire[]> {
      await flush();
      if (store === undefined) return options.recent.list(limit);
      return (await store.page({ ...noFilter, limit }, undefined)).decisions;
    },
    notices: (): readonly Attention[] => {
      const { full } = journals;
      const effect =
        config.decisions.onFull === 'drop' ? 'records are dropped' : 'requests are refused';
      const words =
        full.length === 0 ? [] : [`decision log: ${full.join(', ')} cannot be written, ${effect}`];
      return [...words, ...troubles.values()].map((text) => ({
        level: 'bad',
        words: text,
        action: 'tensorforge doctor',
      }));
    },
    /** Is the decision log whole? Reads all of it. */
    async verify() {
      await flush();
      const anchors = await sealed.anchors();
      const { segments, records, faults } = await verifyLog({ folder, anchors });
      return { segments, records, faults };
    },
    routes: (): readonly ControlRoute[] => [
      ...decisionRoutes({ store, recent: options.recent, flush }),
      ...replayRoutes(replays),
    ],
    start(): void {
      tend();
      if (settings !== undefined) reconcile();
      timers = [setInterval(() => journal.sweep(), sweepEveryMs), setInterval(tend, tendEveryMs)];
    },
    async stop(): Promise<void> {
      for (const timer of timers) clearInterval(timer);
      await replays.close();
      await journal.close();
      await sealed.write();
    },
  };
}
