// `explain`: why a request went where it went, why a backend takes requests or not, why the serving
// mode is what it is. It prints the words that the server computed and computes none.

import type { Command } from 'commander';
import type { DecisionWire } from '../../protocol/control/schemas.ts';
import { type Api, openApi } from '../client.ts';
import { describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { shape } from '../output/shapes.ts';
import { printListing } from '../output/table.ts';
import { counted, escapeControl, shownMs } from '../output/text.ts';
import { resolveBackend } from './backends.ts';
import { printBackendReasons } from './explain-backend.ts';

type Candidate = DecisionWire['candidates'][number];
type Outcome = 'went_to' | 'lost' | 'not_to';

async function findDecision(api: Api, id: string): Promise<DecisionWire> {
  const { decisionListSchema, decisionSchema } = await import('../../protocol/control/schemas.ts');
  const find = (one: string): Promise<DecisionWire> => {
    const path = `/api/v1/decisions/${encodeURIComponent(one)}`;
    return api.call(decisionSchema, { method: 'GET', path });
  };
  if (id !== 'last') return find(id);
  const path = '/api/v1/decisions?limit=100';
  const { decisions } = await api.call(decisionListSchema, { method: 'GET', path });
  const newest = decisions.toSorted((a, b) => Date.parse(b.at) - Date.parse(a.at))[0];
  // The list has the choice alone; asked for by its id, it comes with attempts and record.
  if (newest !== undefined) return find(newest.request_id);
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

/** Points of a term of the score, which is recorded undivided. */
function points(term: number): string {
  return `+${(term / 100).toFixed(1)}`;
}

/** `load +27.0 (18/64)  latency +19.0 (212 ms)`: what the score is made of, with what was read. */
function termWords({ terms, figures }: Candidate): string {
  if (terms == null) return '';
  const load = figures === undefined ? '' : ` (${figures.pending}/${figures.capacity ?? '-'})`;
  const first = figures?.first_byte_ms == null ? '' : ` (${shownMs(figures.first_byte_ms)})`;
  return `priority ${points(terms.priority)}  load ${points(terms.load)}${load}  latency ${points(terms.latency)}${first}`;
}

function whyWords(decision: DecisionWire, candidate: Candidate): string {
  const outcome = outcomeOf(decision, candidate);
  const terms = termWords(candidate);
  if (outcome === 'not_to' || terms === '') return candidate.reason;
  return outcome === 'went_to' ? terms : `${candidate.reason}: ${terms}`;
}

/** Whether making it again gave the same, in the words of the server. */
function againWords({ request_id: id, again, again_words: words }: DecisionWire): string {
  const command = `tensorforge replay --id ${id}`;
  if (again === 'same') return `${command} -> replayed: same choice`;
  if (again === 'differs') return `${command} -> differs: ${words ?? ''}`;
  return `not decided again: ${words ?? 'no record'}`;
}

/** How it came in, and what was decided of it before a backend was chosen. */
function beginningLines({ admission, annotations, split, queue = [] }: DecisionWire): string[] {
  const notes = Object.entries(annotations ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    ...(admission == null ? [] : [`CAME IN  ${admission.words}`]),
    ...(notes.length === 0 ? [] : [`NOTED    ${notes.join('  ')}`]),
    ...(split === undefined ? [] : [`SPLIT    arm ${split.arm} of ${split.experiment}`]),
    ...queue.map(({ words }) => `QUEUED   ${words}`),
  ];
}

/** What else became of it. */
function endLines({ batches = [], degraded, shadows = [] }: DecisionWire): string[] {
  return [
    ...batches.map(({ words }) => `BATCHED  ${words}`),
    ...(degraded === undefined ? [] : [`INSTEAD  ${degraded.words}`]),
    ...shadows.map(({ words }) => `SHADOW   ${words}`),
  ];
}

/** How it came in, earlier attempts, where the log has it; nothing for what the log does not hold. */
function recordLines(decision: DecisionWire): string[] {
  const { attempts_detail: attempts = [], record, again, behaviour } = decision;
  const lines = beginningLines(decision);
  for (const attempt of attempts.slice(0, -1)) {
    const to = attempt.backend_id ?? attempt.code ?? 'nowhere';
    lines.push(`BEFORE   attempt ${attempt.attempt} went to ${to}: ${attempt.reason}`);
  }
  lines.push(...endLines(decision));
  const last = attempts.at(-1);
  if (record != null) {
    const made =
      last === undefined
        ? ''
        : `  snapshot ${last.snapshot.slice(0, 12)}  seed ${last.seed}  cursor ${last.cursor}`;
    const place = `${record.segment} at byte ${record.offset}, record ${record.sequence}`;
    lines.push(`RECORD   ${place}${made}  behaviour ${behaviour ?? '-'}`);
  }
  if (again !== undefined) lines.push(`AGAIN    ${againWords(decision)}`);
  return lines;
}

function isForPeople(context: Context): boolean {
  return context.isTerminal && !context.json && !context.quiet;
}

function tokenWords({ prompt_tokens: prompt, completion_tokens: output }: DecisionWire): string[] {
  return prompt === undefined ? [] : [`${prompt} in, ${output ?? 0} out`];
}

function printDecision(context: Context, decision: DecisionWire): void {
  const candidates = decision.candidates.toSorted(
    (a, b) =>
      order.indexOf(outcomeOf(decision, a)) - order.indexOf(outcomeOf(decision, b)) ||
      (b.score ?? 0) - (a.score ?? 0),
  );
  if (isForPeople(context)) {
    const served = decision.served_model === null ? '' : ` -> ${decision.served_model}`;
    const facts = [
      decision.request_id,
      `${decision.model}${served}`,
      `${decision.status}${decision.code === null ? '' : ` ${decision.code}`}`,
      `first byte ${shownMs(decision.first_byte_ms)}`,
      `total ${shownMs(decision.total_ms)}`,
      `ours ${shownMs(decision.overhead_ms)}`,
      counted(decision.attempts, 'attempt'),
      ...tokenWords(decision),
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
      {
        title: 'WHY',
        name: 'reason',
        mayCut: true,
        shown: (row) => whyWords(decision, row),
        raw: (row) => row.reason,
      },
      {
        title: 'DO',
        isSpare: true,
        name: 'suggested_action',
        mayCut: true,
        shown: (row) => row.suggested_action ?? '',
      },
      {
        title: 'WOULD HAVE WON',
        isSpare: true,
        name: 'would_have_won',
        mayCut: true,
        shown: (row) => row.would_have_won ?? '',
        raw: (row) => row.would_have_won ?? null,
      },
    ],
  });
  if (!isForPeople(context)) return;
  for (const line of recordLines(decision)) context.out(escapeControl(line));
}

const levelShapes = { ok: 'ok', attention: 'attention', bad: 'bad' } as const;

async function printMode(context: Context, api: Api): Promise<void> {
  const { policyViewSchema } = await import('../../protocol/control/trust-schemas.ts');
  const view = await api.call(policyViewSchema, { method: 'GET', path: '/api/v1/policy' });
  if (context.json) context.out(JSON.stringify(view));
  else if (context.quiet) context.out(escapeControl(view.mode));
  else if (context.isTerminal) {
    context.out(
      `${shape(levelShapes[view.verdict_level], context)} ${escapeControl(view.verdict)}`,
    );
  } else {
    context.out('mode\tsince\tverdict');
    context.out(
      [view.mode, view.since, view.verdict].map((cell) => escapeControl(cell)).join('\t'),
    );
  }
}

export function addExplainCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('explain'), {
    summary: 'say why: a request, a backend, the serving mode',
    examples: ['tensorforge explain request last', 'tensorforge explain backend box-1'],
  });
  const request = describe(noun.command('request <id>'), {
    summary: 'why a request went where it went',
    description:
      'Prints where a request went, what each backend scored, what would have made it win, and why others were left out; and whether making the decision again gives the same. ID is the x-request-id of an answer, a decision id, or `last`.',
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
    description:
      'Prints every gate between a request and the backend with its reason and what to do, the last probes and when the next one is, its states of the last day, and what it tells of its models.',
    examples: ['tensorforge explain backend box-1', 'tensorforge explain backend box-1 --json'],
  });
  runs(backend, surroundings, async (context, [word = '']) => {
    const api = await openApi(context, surroundings.machine);
    const { id } = await resolveBackend(api, word);
    await printBackendReasons(context, api, id);
  });
  const mode = describe(noun.command('mode'), {
    summary: 'why the serving mode is what it is',
    examples: ['tensorforge explain mode', 'tensorforge explain mode --json'],
  });
  runs(mode, surroundings, async (context) => {
    await printMode(context, await openApi(context, surroundings.machine));
  });
}
