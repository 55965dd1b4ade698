// `shadows`: how the copies of requests that are sent to what is being tried out compare with what the
// clients got.

import type { Command } from 'commander';
import type {
  ShadowComparisonWire,
  ShadowSummaryWire,
} from '../../protocol/control/shadow-schemas.ts';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { type Column, printListing } from '../output/table.ts';

async function schemas() {
  return import('../../protocol/control/shadow-schemas.ts');
}

function ms(value: number | null): string {
  return value === null ? '-' : `${Math.round(value)} ms`;
}

function share(value: number | null): string {
  return value === null ? '-' : `${(value * 100).toFixed(1)} %`;
}

function targetWords({ rule }: ShadowSummaryWire): string {
  if (rule === null) return '(no rule)';
  const { to_model: model, to_backend: backend, percent } = rule;
  return `${percent} % of ${rule.model_pattern} to ${[model, backend].filter(Boolean).join(' on ')}`;
}

function lostWords({ failed, timed_out, dropped, refused }: ShadowSummaryWire): string {
  return `${failed} failed, ${timed_out} timed out, ${dropped} dropped, ${refused} refused`;
}

const summaryColumns: readonly Column<ShadowSummaryWire>[] = [
  { title: 'NAME', name: 'name', shown: (row) => row.name },
  { title: 'COPIES', isSpare: true, mayCut: true, shown: targetWords },
  { title: 'COMPARED', name: 'compared', shown: (row) => String(row.compared) },
  {
    title: 'TEXT APART',
    name: 'mean_distance',
    shown: (row) => share(row.mean_distance),
    raw: (row) => row.mean_distance,
  },
  {
    title: 'CLIENT',
    name: 'primary_total_ms',
    shown: (row) => ms(row.primary.total_ms),
    raw: (row) => row.primary.total_ms,
  },
  {
    title: 'COPY',
    name: 'copy_total_ms',
    shown: (row) => ms(row.copy.total_ms),
    raw: (row) => row.copy.total_ms,
  },
  { title: 'OTHERWISE', isSpare: true, mayCut: true, shown: lostWords },
  { title: '', name: 'failed', pipeOnly: true, shown: (row) => String(row.failed) },
  { title: '', name: 'timed_out', pipeOnly: true, shown: (row) => String(row.timed_out) },
  { title: '', name: 'dropped', pipeOnly: true, shown: (row) => String(row.dropped) },
  { title: '', name: 'refused', pipeOnly: true, shown: (row) => String(row.refused) },
];

const comparisonColumns: readonly Column<ShadowComparisonWire>[] = [
  { title: 'AT', name: 'at', shown: (row) => row.at },
  { title: 'REQUEST', name: 'request_id', shown: (row) => row.request_id },
  { title: 'OUTCOME', name: 'outcome', shown: (row) => row.outcome.replace('_', ' ') },
  {
    title: 'TEXT APART',
    name: 'distance',
    shown: (row) => share(row.distance),
    raw: (row) => row.distance,
  },
  { title: 'CLIENT', name: 'primary_backend', shown: (row) => row.primary.backend },
  {
    title: '',
    name: 'primary_total_ms',
    shown: (row) => `${row.primary.total_ms} ms, ${row.primary.tokens} tokens`,
    raw: (row) => row.primary.total_ms,
  },
  { title: 'COPY', name: 'copy_backend', shown: (row) => row.copy.backend },
  {
    title: '',
    name: 'copy_total_ms',
    shown: (row) => `${row.copy.total_ms} ms, ${row.copy.tokens} tokens`,
    raw: (row) => row.copy.total_ms,
  },
];

async function list(context: Context, { machine }: Surroundings): Promise<void> {
  const { shadowListSchema } = await schemas();
  const api = await openApi(context, machine);
  const path = '/api/v1/shadows?limit=0';
  const answer = await api.call(shadowListSchema, { method: 'GET', path });
  printListing(context, {
    rows: answer.shadows,
    columns: summaryColumns,
    id: (row) => row.name,
    json: answer,
    empty: 'No requests are copied: routing.shadows has no rule.',
  });
}

async function show(context: Context, { machine }: Surroundings, name: string): Promise<void> {
  const { shadowListSchema } = await schemas();
  const api = await openApi(context, machine);
  const path = `/api/v1/shadows?limit=50&name=${encodeURIComponent(name)}`;
  const answer = await api.call(shadowListSchema, { method: 'GET', path });
  printListing(context, {
    rows: answer.comparisons,
    columns: comparisonColumns,
    id: (row) => row.request_id,
    json: answer,
    empty: `No copy of ${name} was compared yet.`,
  });
}

export function addShadowCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('shadows'), {
    summary: 'copies of requests to what is tried out: list, show',
    examples: ['tensorforge shadows', 'tensorforge shadows show next-engine'],
  });
  bareNoun(noun, surroundings, (context) => list(context, surroundings));
  const listing = describe(noun.command('list').alias('ls'), {
    summary: 'how the copies of each rule compare with what clients got',
    description:
      'Of each rule of routing.shadows: copies compared, how far their texts are from those of the clients, and both times.',
    examples: ['tensorforge shadows list', 'tensorforge shadows list --json'],
  });
  runs(listing, surroundings, (context) => list(context, surroundings));
  const one = describe(noun.command('show <name>'), {
    summary: 'the newest comparisons of one rule',
    description: 'Lists the newest 50 comparisons of one rule, with the request of each.',
    examples: [
      'tensorforge shadows show next-engine',
      'tensorforge shadows show next-engine --json',
    ],
  });
  runs(one, surroundings, (context, [name = '']) => show(context, surroundings, name));
}
