// `models`: what can be called, and where. Reads the same list as every client of /v1; what is done to
// models stands in model-operations.ts.

import type { Command } from 'commander';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { printListing } from '../output/table.ts';
import { addModelOperations } from './model-operations.ts';

type ModelRow = {
  readonly id: string;
  readonly owned_by: string;
  readonly context_length?: number | undefined;
  readonly capabilities?: Readonly<Record<string, boolean>> | undefined;
};

async function printModels(context: Context, { machine }: Surroundings): Promise<void> {
  const { z } = await import('zod');
  const schema = z.object({
    object: z.literal('list'),
    data: z.array(
      z.looseObject({
        id: z.string(),
        owned_by: z.string(),
        context_length: z.int().optional(),
        capabilities: z.record(z.string(), z.boolean()).optional(),
      }),
    ),
  });
  const api = await openApi(context, machine);
  const list = await api.call(schema, { method: 'GET', path: '/v1/models' });
  const able = (row: ModelRow): string[] =>
    Object.entries(row.capabilities ?? {}).flatMap(([name, has]) => (has ? [name] : []));
  const rows: readonly ModelRow[] = list.data;
  // Several backends may offer one model; `--quiet` names it once.
  const distinct = rows.filter((row, at) => rows.findIndex((other) => other.id === row.id) === at);
  const backends = new Set(rows.map((row) => row.owned_by)).size;
  printListing<ModelRow>(context, {
    rows: context.quiet ? distinct : rows,
    id: (row) => row.id,
    json: list,
    summary: `${distinct.length} models on ${backends} backends.`,
    empty: 'No models: no healthy backend offers one. See: tensorforge backends list',
    columns: [
      { title: 'MODEL', name: 'id', mayCut: true, shown: (row) => row.id },
      { title: 'BACKEND', name: 'backend', mayCut: true, shown: (row) => row.owned_by },
      {
        title: 'CONTEXT',
        isSpare: true,
        name: 'context_length_tokens',
        alignRight: true,
        shown: (row) => String(row.context_length ?? '-'),
        raw: (row) => row.context_length ?? null,
      },
      {
        title: 'CAN ALSO',
        isSpare: true,
        mayCut: true,
        name: 'capabilities',
        shown: (row) => able(row).join(' '),
        raw: (row) => able(row).join(','),
      },
    ],
  });
}

export function addModelCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('models').alias('model'), {
    summary: 'the models that can be called: list, load, unload, migrate, operations',
    examples: ['tensorforge models', 'tensorforge models list --quiet'],
  });
  bareNoun(noun, surroundings, (context) => printModels(context, surroundings));
  const list = describe(noun.command('list').alias('ls'), {
    summary: 'list the models that can be called, one line for each backend',
    examples: ['tensorforge models list', 'tensorforge models list --json'],
  });
  runs(list, surroundings, (context) => printModels(context, surroundings));
  addModelOperations(noun, surroundings);
}
