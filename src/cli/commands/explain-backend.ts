// `explain backend`: why a backend takes requests or why not. It prints what the server computed.

import type { BackendExplainWire } from '../../protocol/control/schemas.ts';
import type { Api } from '../client.ts';
import type { Context } from '../context.ts';
import { backendShape, type ShapeKind, shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { cutTo, escapeControl, shownBytes, shownMs, shownSince } from '../output/text.ts';

type Gate = BackendExplainWire['gates'][number];

const gateShapes: Readonly<Record<Gate['state'], ShapeKind>> = {
  open: 'ok',
  closed: 'bad',
  off: 'off',
};

function gateColumns(context: Context): readonly Column<Gate>[] {
  return [
    { title: '', isShape: true, shown: ({ state }) => shape(gateShapes[state], context) },
    { title: 'GATE', name: 'gate', shown: ({ name }) => name },
    { title: 'STATE', name: 'state', shown: ({ state }) => state },
    { title: 'WHY', name: 'words', mayCut: true, shown: ({ words }) => words },
    {
      title: 'DO',
      name: 'remedy',
      isSpare: true,
      mayCut: true,
      shown: ({ remedy }) => remedy ?? '',
      raw: ({ remedy }) => remedy,
    },
  ];
}

/** `running 3, waiting 1, KV 71 %, read 2 s ago`; struck by words when it is too old. */
export function loadWords(
  load: BackendExplainWire['last_load'],
  maxAgeMs: number,
  nowMs: number,
): string {
  if (load === null) return 'it tells none';
  const { running, waiting, kv_use: kv, read_at: at } = load;
  const told = [
    ...(running === null ? [] : [`running ${running}`]),
    ...(waiting === null ? [] : [`waiting ${waiting}`]),
    ...(kv === null ? [] : [`KV ${Math.round(kv * 100)} %`]),
  ];
  const isOld = nowMs - Date.parse(at) > maxAgeMs;
  const age = `read ${shownSince(at, nowMs)} ago`;
  return [...told, isOld ? `${age}, too old: counts as missing` : age].join(', ');
}

function modelWords(model: BackendExplainWire['models'][number]): string {
  const { loaded, closed, size_bytes: size, quantization, only_holder: isOnly } = model;
  const state = closed ?? (loaded === null ? undefined : loaded ? 'loaded' : 'not loaded');
  const facts = [
    `${model.context_length} tokens`,
    ...(state === undefined ? [] : [state]),
    ...(size === null ? [] : [shownBytes(size)]),
    ...(quantization === null ? [] : [quantization]),
    ...(isOnly ? ['nowhere else'] : []),
  ];
  return `${model.id}: ${facts.join(', ')}`;
}

function printRest(context: Context, wire: BackendExplainWire): void {
  const now = Date.now();
  const print = (name: string, words: string): void =>
    context.out(cutTo(escapeControl(`  ${name.padEnd(9)}${words}`), context.columns));
  print('probes', wire.probe_words);
  print('load', loadWords(wire.last_load, wire.load_max_age_ms, now));
  const { current_operation: operation } = wire.backend;
  if (operation !== null) {
    const { operation_type: type, model_id: model, progress_percent: percent } = operation;
    print('running', `${type} of ${model}, ${percent} %, ${operation.operation_id}`);
  }
  for (const probe of wire.probes.slice(0, 5)) {
    const words =
      probe.words === '' ? `${probe.kind} in ${shownMs(probe.latency_ms)}` : probe.words;
    print('probe', `${shownSince(probe.at, now)} ago: ${words}`);
  }
  for (const span of wire.history.slice(-5)) {
    const reason = span.words === '' ? '' : `: ${span.words}`;
    const until = span.to === null ? 'now' : `${shownSince(span.to, now)} ago`;
    print('state', `${span.status} from ${shownSince(span.from, now)} ago to ${until}${reason}`);
  }
  for (const model of wire.models) print('model', modelWords(model));
}

export async function printBackendReasons(context: Context, api: Api, id: string): Promise<void> {
  const { backendExplainSchema } = await import('../../protocol/control/schemas.ts');
  const path = `/api/v1/backends/${encodeURIComponent(id)}/explain`;
  const wire = await api.call(backendExplainSchema, { method: 'GET', path });
  if (context.quiet) {
    context.out(escapeControl(id));
    return;
  }
  const isForPeople = context.isTerminal && !context.json;
  if (isForPeople) {
    const words = escapeControl(`${id}: ${wire.verdict}`);
    context.out(`${shape(backendShape(wire.backend), context)} ${words}`);
  }
  printListing(context, {
    rows: wire.gates,
    id: ({ name }) => name,
    json: wire,
    empty: 'No gates.',
    columns: gateColumns(context),
  });
  if (isForPeople) printRest(context, wire);
}
