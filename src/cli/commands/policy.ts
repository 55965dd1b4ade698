// `policy`: the serving mode of the running installation, how it came about, and the pin that holds a
// mode whatever the ladder says. The first line is the server's own sentence.

import type { Command } from 'commander';
import { nearest } from '../../config/nearest.ts';
import type { PolicyHistoryWire, PolicyViewWire } from '../../protocol/control/trust-schemas.ts';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { type ShapeKind, shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { counted, cutTo, escapeControl, shownSpan } from '../output/text.ts';

type Move = PolicyHistoryWire['moves'][number];

/** Held equal to the closed set of the protocol by a test: loading it would slow every start. */
const modeWords: readonly string[] = ['normal', 'watch', 'restricted', 'halted'];

const levelShapes: Readonly<Record<PolicyViewWire['verdict_level'], ShapeKind>> = {
  ok: 'ok',
  attention: 'attention',
  bad: 'bad',
};

async function schemas() {
  return import('../../protocol/control/trust-schemas.ts');
}

function percent(share: number | null): string {
  return share === null ? '-' : `${Number((100 * share).toFixed(1))} %`;
}

function burnWords(burn: number | null): string {
  return burn === null ? '-' : `${Number(burn.toFixed(1))}x`;
}

const viewColumns: readonly Column<PolicyViewWire>[] = [
  { title: '', name: 'mode', shown: (view) => view.mode },
  { title: '', name: 'ladder_mode', shown: (view) => view.ladder_mode },
  { title: '', name: 'since', shown: (view) => view.since },
  { title: '', name: 'verdict_level', shown: (view) => view.verdict_level },
  { title: '', name: 'pinned_by', shown: (view) => view.pin?.by ?? '' },
  { title: '', name: 'pinned_until', shown: (view) => view.pin?.until ?? '' },
  { title: '', name: 'burst', shown: (view) => String(view.up.burst) },
  { title: '', name: 'streak', shown: (view) => String(view.down.streak) },
  { title: '', name: 'risk', shown: (view) => String(view.up.risk) },
  {
    title: '',
    name: 'cooldown_left_seconds',
    shown: (view) => String(view.up.cooldown_left_seconds),
  },
  {
    title: '',
    name: 'budget_left',
    shown: (view) => String(view.slo.budget_left ?? ''),
  },
  { title: '', name: 'verdict', shown: (view) => view.verdict },
];

/** Seconds up to ten minutes, where a minute more or less counts; then as everywhere. */
function leftWords(seconds: number): string {
  return seconds < 600 ? `${seconds} s` : shownSpan(seconds);
}

/** `normal -- [watch] -- restricted -- halted`: the mode in force stands out without colour. */
function ladderWords(view: PolicyViewWire): string {
  return modeWords.map((mode) => (mode === view.mode ? `[${mode}]` : mode)).join(' -- ');
}

function effectWords({ effects, mode }: PolicyViewWire): string {
  const now = effects.find((each) => each.mode === mode);
  if (now === undefined) return '';
  return [
    now.retries === 1 ? '1 retry' : `${now.retries} retries`,
    now.least_class > 1 ? `only class ${now.least_class} comes in` : 'every class comes in',
    now.emergency_shedding ? 'sheds early' : 'sheds when full',
    now.experiments ? 'experiments run' : 'no experiments',
    `shadow ${percent(now.shadow_share)}`,
    now.canary_promotion ? 'promotions allowed' : 'no promotions',
  ].join(', ');
}

function upWords({ up }: PolicyViewWire): string {
  const suppressed = up.suppressed === 0 ? '' : `, suppressed ${up.suppressed}x`;
  const cooldown =
    up.cooldown_left_seconds === 0
      ? 'no cooldown'
      : `cooldown ${leftWords(up.cooldown_left_seconds)} left`;
  const risk = `risk ${up.risk.toFixed(2)} of ${up.risk_threshold.toFixed(2)}`;
  return `burst ${up.burst} of ${up.burst_needed}, ${risk}, ${cooldown}${suppressed}`;
}

function downWords({ down }: PolicyViewWire): string {
  if (down.streak_needed === null) return 'nothing below normal';
  const hold =
    down.hold_left_seconds === 0
      ? 'held long enough'
      : `hold ${leftWords(down.hold_left_seconds)} more`;
  const recovered = down.recovered ? 'recovered' : 'not recovered yet';
  return `calm ${down.streak} of ${down.streak_needed}, ${hold}, ${recovered}`;
}

function printDetails(context: Context, view: PolicyViewWire): void {
  const { slo, burn } = view;
  const budget = `budget ${percent(slo.budget_left)} left of ${slo.period_days} d`;
  const lines: readonly (readonly [string, string])[] = [
    ['ladder', ladderWords(view)],
    ['now', effectWords(view)],
    ['up', upWords(view)],
    ['down', downWords(view)],
    ['objective', `${percent(slo.objective)}: ${slo.words}`],
    ['budget', `${budget}, ${counted(slo.requests, 'request')}, ${slo.bad} bad`],
    ...burn.map((pair) => {
      const windows = `${burnWords(pair.long_burn)} over ${shownSpan(pair.long_seconds)}, ${burnWords(pair.short_burn)} over ${shownSpan(pair.short_seconds)}`;
      const limit = `limit ${pair.factor}x${pair.moves ? '' : ', told only'}`;
      return [`burn ${pair.name}`, `${windows} (${limit})${pair.firing ? ' FIRING' : ''}`] as const;
    }),
  ];
  for (const [name, value] of lines) {
    context.out(cutTo(escapeControl(`  ${name.padEnd(13)}${value}`), context.columns));
  }
}

/** The server's sentence; with `details` what it stands on. */
function printView(context: Context, view: PolicyViewWire, details: boolean): void {
  if (context.json || context.quiet || !context.isTerminal) {
    const id = (each: PolicyViewWire) => each.mode;
    printListing(context, { rows: [view], columns: viewColumns, id, json: view, empty: '' });
    return;
  }
  context.out(`${shape(levelShapes[view.verdict_level], context)} ${escapeControl(view.verdict)}`);
  if (details) printDetails(context, view);
}

async function show(context: Context, { machine }: Surroundings): Promise<void> {
  const { policyViewSchema } = await schemas();
  const api = await openApi(context, machine);
  const call = { method: 'GET', path: '/api/v1/policy' } as const;
  printView(context, await api.call(policyViewSchema, call), true);
}

const moveColumns: readonly Column<Move>[] = [
  { title: 'SEQUENCE', name: 'sequence', alignRight: true, shown: (row) => String(row.sequence) },
  {
    title: 'AT',
    name: 'at',
    shown: (row) => `${row.at.slice(0, 10)} ${row.at.slice(11, 19)}`,
    raw: (row) => row.at,
  },
  { title: 'KIND', name: 'kind', shown: (row) => row.kind },
  { title: 'FROM', name: 'from', shown: (row) => row.from ?? '-', raw: (row) => row.from },
  { title: 'TO', name: 'to', shown: (row) => row.to ?? '-', raw: (row) => row.to },
  { title: 'BY', name: 'actor', isSpare: true, shown: (row) => row.actor },
  { title: 'REASON', name: 'reason', isSpare: true, mayCut: true, shown: (row) => row.reason },
  {
    title: 'CAUSE',
    name: 'cause',
    isSpare: true,
    mayCut: true,
    shown: ({ evidence }) => (typeof evidence['cause'] === 'string' ? evidence['cause'] : ''),
  },
];

function addHistory(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('history'), {
    summary: 'how the serving mode moved',
    description: 'Prints the moves of the serving mode, newest first, each with what was read.',
    examples: ['tensorforge policy history', 'tensorforge policy history --limit 200 --json'],
  }).option('--limit <n>', 'Moves to print. Default: 50.', wholeNumber(1, 500));
  runs(command, surroundings, async (context, _args, self) => {
    const { policyHistorySchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const { limit = 50 } = self.opts<{ readonly limit?: number }>();
    const path = `/api/v1/policy/history?limit=${limit}`;
    const history = await api.call(policyHistorySchema, { method: 'GET', path });
    printListing(context, {
      rows: history.moves,
      columns: moveColumns,
      id: (row) => String(row.sequence),
      json: history,
      empty: 'The serving mode never moved.',
    });
  });
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** Bounds of the control API: a minute to a week. */
const [leastSeconds, mostSeconds] = [60, 604_800];

/** Seconds of `90s`, `30m`, `2h`, `3d`. Throws a usage failure for anything else. */
function secondsOf(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * (unitSeconds[unit ?? ''] ?? Number.NaN);
  if (seconds >= leastSeconds && seconds <= mostSeconds) return seconds;
  throw usageFailure(
    `--for is "${text}", but must be a time from 60s to 7d such as 90s, 30m, 2h or 3d`,
    'tensorforge policy pin --help',
  );
}

function modeOf(word: string): string {
  if (modeWords.includes(word)) return word;
  const near = nearest(word, modeWords);
  throw usageFailure(
    `there is no mode "${word}"; known: ${modeWords.join(', ')}`,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}

type PinFlags = { readonly for?: string; readonly reason: string };

function addPin(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('pin <mode>'), {
    summary: 'hold a mode, whatever the ladder says',
    description:
      'Holds normal, watch, restricted or halted in force until the time given, or until it is lifted. The ladder goes on below it. halted lets only requests of class 5 in.',
    examples: [
      'tensorforge policy pin restricted --for 2h --reason "move to the new rack"',
      'tensorforge policy pin normal --reason "false alarm of the probe"',
    ],
  })
    .option('--for <time>', 'How long: 90s, 30m, 2h, 3d. Default: until it is lifted.')
    .requiredOption('--reason <text>', 'Why; it is kept in the audit trail.');
  runs(command, surroundings, async (context, [word = ''], self) => {
    const flags = self.opts<PinFlags>();
    const body = {
      mode: modeOf(word),
      reason: flags.reason,
      expires_in_seconds: flags.for === undefined ? null : secondsOf(flags.for),
    };
    const { policyViewSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const call = { method: 'PUT', path: '/api/v1/policy/pin', body } as const;
    printView(context, await api.call(policyViewSchema, call), false);
    if (!context.json) context.note('undo: tensorforge policy unpin --reason "..."');
  });
}

function addUnpin(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('unpin'), {
    summary: 'lift the pin: the mode of the ladder is in force again',
    examples: [
      'tensorforge policy unpin --reason "the move is done"',
      'tensorforge policy unpin --reason "the move is done" --json',
    ],
  }).requiredOption('--reason <text>', 'Why; it is kept in the audit trail.');
  runs(command, surroundings, async (context, _args, self) => {
    const { reason } = self.opts<Pick<PinFlags, 'reason'>>();
    const { policyViewSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const path = `/api/v1/policy/pin?reason=${encodeURIComponent(reason)}`;
    printView(context, await api.call(policyViewSchema, { method: 'DELETE', path }), false);
  });
}

export function addPolicyCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('policy'), {
    summary: 'the serving mode: show, history, pin, unpin',
    examples: [
      'tensorforge policy',
      'tensorforge policy pin restricted --for 2h --reason "move to the new rack"',
    ],
  });
  bareNoun(noun, surroundings, (context) => show(context, surroundings));
  const command = describe(noun.command('show').alias('status'), {
    summary: 'which mode, why, and what leads out of it',
    examples: ['tensorforge policy show', 'tensorforge policy show --json'],
  });
  runs(command, surroundings, (context) => show(context, surroundings));
  addHistory(noun, surroundings);
  addPin(noun, surroundings);
  addUnpin(noun, surroundings);
}
