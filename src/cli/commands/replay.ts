// `replay`: makes the decisions of the log again and says whether they are the same; with a candidate
// policy, what it would have done. Over the control API, or from a folder of segments without a server.

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Command } from 'commander';
import type { ReplayReportWire } from '../../protocol/control/trust-schemas.ts';
import type { Actions, Machine, ReplayAsked } from '../actions.ts';
import { openApi } from '../client.ts';
import { describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes, usageFailure } from '../failure.ts';
import { createProgress } from '../output/progress.ts';
import { isProof, replayLines } from '../output/replay-text.ts';
import { escapeControl } from '../output/text.ts';

export type ReplayFlags = {
  readonly from?: string;
  readonly to?: string;
  readonly policy?: string;
  readonly id?: string;
  readonly segments?: string;
};

const pollEveryMs = 200;
const spanMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** An RFC 3339 time, or a span back from now: `12h`. */
function timeOf(flag: string, text: string, nowMs: number): string {
  const span = /^(\d{1,6})([smhd])$/.exec(text);
  if (span !== null) {
    const unit = spanMs[(span[2] ?? 's') as keyof typeof spanMs];
    return new Date(nowMs - Number(span[1]) * unit).toISOString();
  }
  const isTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)$/.test(text);
  if (isTime && !Number.isNaN(Date.parse(text))) return new Date(text).toISOString();
  throw usageFailure(
    `${flag} "${text}" is no time`,
    'for instance 2026-11-21T12:00:00Z, or 12h for twelve hours ago',
  );
}

async function policyOf(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new CliFailure('file_unreadable', `--policy ${path} cannot be read: ${words}`, {
      exitCode: exitCodes.failed,
      cause: error,
    });
  }
  const { bundleRefusal, readPolicyBundle } = await import('../../config/policy-bundle.ts');
  const { parseYamlFile } = await import('../../config/yaml-file.ts');
  const bundle = readPolicyBundle(text, path);
  // The server would say the same; here the faults have the lines of the file.
  if (bundle.ok) return { ...parseYamlFile(text, path).values };
  const refusal = bundleRefusal(bundle.error);
  throw new CliFailure(refusal.code, refusal.message, {
    exitCode: exitCodes.refused,
    remedy: 'mend the file: it holds the sections routing and policy of a configuration',
    details: refusal.details,
  });
}

async function askedOf(flags: ReplayFlags, nowMs: number): Promise<ReplayAsked> {
  const { from, to, id, policy } = flags;
  return {
    ...(from === undefined ? {} : { from: timeOf('--from', from, nowMs) }),
    ...(to === undefined ? {} : { to: timeOf('--to', to, nowMs) }),
    ...(id === undefined ? {} : { request_id: id }),
    ...(policy === undefined ? {} : { policy: await policyOf(policy) }),
  };
}

function progressWords(report: ReplayReportWire): string {
  const share = Math.floor((report.progress ?? 0) * 100);
  return `replaying ${share} %  ${report.decisions} decisions, ${report.divergences} differ`;
}

async function overApi(
  context: Context,
  machine: Machine,
  asked: ReplayAsked,
  onProgress: (report: ReplayReportWire) => void,
): Promise<ReplayReportWire> {
  const { replayReportSchema } = await import('../../protocol/control/trust-schemas.ts');
  const api = await openApi(context, machine);
  const start = { method: 'POST', path: '/api/v1/replays', body: asked } as const;
  let report = await api.call(replayReportSchema, start);
  const path = `/api/v1/replays/${encodeURIComponent(report.id)}`;
  while (report.state === 'running') {
    onProgress(report);
    await wait(pollEveryMs);
    report = await api.call(replayReportSchema, { method: 'GET', path });
  }
  return report;
}

function print(context: Context, report: ReplayReportWire): void {
  if (context.json) context.out(JSON.stringify(report));
  else if (context.quiet) context.out(escapeControl(report.id));
  else {
    const columns = context.isTerminal ? context.columns : undefined;
    for (const line of replayLines(report, context, columns)) context.out(line);
  }
}

function exitCodeOf(report: ReplayReportWire, id: string | undefined): number {
  if (report.state === 'failed') return exitCodes.failed;
  if (!isProof(report)) return exitCodes.workFailed;
  // Nothing was shown to be the same where nothing was found.
  return id !== undefined && report.decisions === 0 ? exitCodes.failed : exitCodes.ok;
}

/** Runs the command to its exit code. */
export async function runReplay(
  context: Context,
  machine: Machine,
  flags: ReplayFlags,
  replayFolder: Actions['replayFolder'],
): Promise<number> {
  const asked = await askedOf(flags, Date.now());
  const progress = createProgress(context, () => performance.now());
  const onProgress = (report: ReplayReportWire): void => progress.show(progressWords(report));
  const report =
    flags.segments === undefined
      ? await overApi(context, machine, asked, onProgress)
      : await replayFolder({ folder: resolve(flags.segments), asked, onProgress });
  progress.done();
  print(context, report);
  return exitCodeOf(report, flags.id);
}

export function addReplayCommand(program: Command, surroundings: Surroundings): void {
  const command = describe(program.command('replay'), {
    summary: 'make the decisions of the log again',
    description:
      'Makes every decision of the log again with the code that made it. Exit 0 when all are the same, 3 at the first that differs or when the log is damaged. With a candidate policy it also prints what would have changed: certain (decision by decision), estimated (from the outcomes in the log) and simulated.',
    examples: [
      'tensorforge replay --from 12h',
      'tensorforge replay --policy candidate.yaml --json',
      'tensorforge replay --segments ./decisions   # without a server',
    ],
  })
    .option('--from <time>', 'From this time on: RFC 3339, or 12h for twelve hours ago.')
    .option('--to <time>', 'Up to this time.')
    .option('--policy <file>', 'A candidate: sections routing and policy of a configuration.')
    .option('--id <request>', 'One request only, by its x-request-id.')
    .option('--segments <dir>', 'Replay this folder in this process, without a server.');
  runs(command, surroundings, (context, _, replay) =>
    runReplay(
      context,
      surroundings.machine,
      replay.opts<ReplayFlags>(),
      surroundings.actions.replayFolder,
    ),
  );
}
