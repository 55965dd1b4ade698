// `fleet`: advice on the fleet as a whole, from what it was asked for. Nothing here changes anything.

import type { Command } from 'commander';
import type { z } from 'zod';
import type { recommendationListSchema } from '../../protocol/control/fleet-schemas.ts';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { type Column, printListing } from '../output/table.ts';
import { counted, shownBytes } from '../output/text.ts';

type Recommendation = z.infer<typeof recommendationListSchema>['recommendations'][number];

const columns: readonly Column<Recommendation>[] = [
  { title: 'MODEL', name: 'model', shown: (row) => row.model_id },
  {
    title: 'LOAD ON',
    name: 'backends',
    mayCut: true,
    shown: (row) => row.target_backend_ids.join(', '),
    raw: (row) => row.target_backend_ids.join(','),
  },
  {
    title: 'SURE',
    name: 'confidence',
    alignRight: true,
    shown: (row) => `${Math.round(100 * row.confidence_score)} %`,
    raw: (row) => row.confidence_score,
  },
  {
    title: 'TAKES',
    isSpare: true,
    name: 'vram_required_bytes',
    alignRight: true,
    shown: (row) => (row.vram_required_bytes === null ? '-' : shownBytes(row.vram_required_bytes)),
    raw: (row) => row.vram_required_bytes,
  },
  {
    title: 'BECAUSE',
    name: 'reasoning',
    isSpare: true,
    mayCut: true,
    shown: (row) => row.reasoning,
  },
  { title: '', name: 'expires_at', pipeOnly: true, shown: (row) => row.expires_at },
];

async function printRecommendations(context: Context, { machine }: Surroundings): Promise<void> {
  const { recommendationListSchema: schema } = await import(
    '../../protocol/control/fleet-schemas.ts'
  );
  const api = await openApi(context, machine);
  const list = await api.call(schema, { method: 'GET', path: '/v1/fleet/recommendations' });
  printListing<Recommendation>(context, {
    rows: list.recommendations,
    columns,
    id: (row) => row.recommendation_id,
    json: list,
    summary: `${counted(list.recommendations.length, 'recommendation')}. Load one: tensorforge models load MODEL --on BACKEND`,
    empty: list.fleet_enabled
      ? 'Nothing to recommend: no model is wanted more than it is loaded, or too little was seen yet.'
      : 'Recommendations are off. Switch them on: fleet.enabled: true in tensorforge.yaml',
  });
}

export function addFleetCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('fleet'), {
    summary: 'advice on the fleet: models to load ahead of their demand',
    examples: ['tensorforge fleet', 'tensorforge fleet recommendations --json'],
  });
  bareNoun(noun, surroundings, (context) => printRecommendations(context, surroundings));
  const command = describe(noun.command('recommendations'), {
    summary: 'which models to load where, how sure that is, and why',
    examples: ['tensorforge fleet recommendations', 'tensorforge fleet recommendations --json'],
  });
  runs(command, surroundings, (context) => printRecommendations(context, surroundings));
}
