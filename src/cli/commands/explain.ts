// `explain`: why a request went where it went, and why a backend takes requests or not. It prints
// recorded reasons and computes none.

import type { Command } from 'commander';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import { type Api, openApi } from '../client.ts';
import { describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { backendShape, shape } from '../output/shapes.ts';
import { printListing } from '../output/table.ts';
import { counted, escapeControl, shownMs } from '../output/text.ts';
import { resolveBackend } from './backends.ts';

type Candidate = DecisionWire['candidates'][number];
type Outcome = 'went_to' | 'lost' | 'not_to';

async function findDecision(api: Api, id: string): Promise<DecisionWire> {
  const { decisionListSchema, decisionSchema } = await import('../../protocol/control/schemas.ts');
  if (id !== 'last') {
    const path = `/api/v1/decisions/${encodeURIComponent(id)}`;
    return api.call(decisionSchema, { method: 'GET', path });
  }
  const path = '/api/v1/decisions?limit=100';
  const { decisions } = await api.call(decisionListSchema, { method: 'GET', path });
  const newest = decisions.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];
  if (newest !== undefined) return newest;
  throw new CliFailure('not_found', 'there is no decision yet', {
    exitCode: exitCodes.failed,
    remedy: 'send a request to /v1/chat/completions, then ask again',
  });
}

function outcomeOf(decision: DecisionWire, candidate: Candidate): Outcome {
  if (candidate.backend_id === decision.backend_id) return 'went_to';
  return candidate.stage === null ? 'lost' : 'not_to';
}

const order: readonly Outcome[] = ['went_to', 'lost', 'not_to'];
const titles: Readonly<Record<Outcome, string>> = {
  went_to: 'WENT TO',
  lost: 'LOST',
  not_to: 'NOT TO',
};

/** What the choice was between; nothing when the chosen backend had not been measured. */
function latencyWords(decision: DecisionWire): string {
  const { selected_latency_ms: selected, minimum_latency_ms: minimum } = decision;
  if (selected === null || minimum === null) return '';
  return `  average first byte ${shownMs(selected)}, lowest ${shownMs(minimum)}`;
}

function printDecision(context: Context, decision: DecisionWire): void {
  const candidates = decision.candidates.toSorted(
    (a, b) =>
      order.indexOf(outcomeOf(decision, a)) - order.indexOf(outcomeOf(decision, b)) ||
      (b.score ?? 0) - (a.score ?? 0),
  );
  if (context.isTerminal && !context.json && !context.quiet) {
    const served = decision.served_model === null ? '' : ` -> ${decision.served_model}`;
    const facts = [
      decision.request_id,
      `${decision.model}${served}`,
      `${decision.status}${decision.code === null ? '' : ` ${decision.code}`}`,
      `first byte ${shownMs(decision.first_byte_ms)}`,
      `total ${shownMs(decision.total_ms)}`,
      `ours ${shownMs(decision.overhead_ms)}`,
      counted(decision.attempts, 'attempt'),
    ];
    context.out(escapeControl(facts.join('  ')));
    context.out(escapeControl(`${decision.reason}${latencyWords(decision)}`));
  }
  printListing(context, {
    rows: candidates,
    id: (row) => row.backend_id,
    json: decision,
    empty: 'No backend was considered.',
    columns: [
      {
        title: '',
        name: 'outcome',
        shown: (row) => titles[outcomeOf(decision, row)],
        raw: (row) => outcomeOf(decision, row),
      },
      { title: 'BACKEND', name: 'backend_id', shown: (row) => row.backend_id },
      {
        title: 'SCORE',
        isSpare: true,
        name: 'score',
        alignRight: true,
        // Recorded undivided, 0 to 10000, so that small differences stay visible.
        shown: (row) => (row.score === null ? '-' : (row.score / 100).toFixed(1)),
        raw: (row) => row.score,
      },
      { title: 'WHY', name: 'reason', mayCut: true, shown: (row) => row.reason },
      {
        title: 'DO',
        isSpare: true,
        name: 'suggested_action',
        mayCut: true,
        shown: (row) => row.suggested_action ?? '',
      },
    ],
  });
}

export function addExplainCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('explain'), {
    summary: 'say why: a request, a backend',
    examples: ['tensorforge explain request last', 'tensorforge explain backend box-1'],
  });
  const request = describe(noun.command('request <id>'), {
    summary: 'why a request went where it went',
    description:
      'Prints where a request went, what each backend scored, and why others were left out. ID is the x-request-id of an answer, or `last`.',
    examples: [
      'tensorforge explain request last',
      'tensorforge explain request 0193f2c4-8a52-7c11-9d3e-52f0c1a7b9e4 --json',
    ],
  });
  runs(request, surroundings, async (context, [id = '']) => {
    const api = await openApi(context, surroundings.machine);
    printDecision(context, await findDecision(api, id));
  });
  const backend = describe(noun.command('backend <backend>'), {
    summary: 'why a backend takes requests, or why not',
    examples: ['tensorforge explain backend box-1', 'tensorforge explain backend box-1 --json'],
  });
  runs(backend, surroundings, async (context, [word = '']) => {
    const api = await openApi(context, surroundings.machine);
    const view = await resolveBackend(api, word);
    const { id, routable, status, status_words: words } = view;
    if (context.json) context.out(JSON.stringify({ id, routable, status, status_words: words }));
    else if (context.quiet) context.out(escapeControl(id));
    else if (context.isTerminal) {
      context.out(`${shape(backendShape(view), context)} ${escapeControl(`${id}: ${words}`)}`);
    } else {
      context.out('id\troutable\tstatus\tstatus_words');
      context.out(
        [id, routable, status, words].map((cell) => escapeControl(String(cell))).join('\t'),
      );
    }
  });
}
