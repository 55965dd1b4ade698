// The models of an Ollama server (github.com/ollama/ollama docs/api.md): what is downloaded, what is
// in memory, what one can do, and downloads with their progress. None of these loads a model.

import { nodeCrypto } from '../../io/credentials/crypto.ts';
import type { Exchange } from './exchange.ts';
import { type JsonObject, textMember } from './json-body.ts';
import { abilitiesOf } from './model-abilities.ts';
import type { StoredModel } from './model-store.ts';
import { servedModel } from './openai-common.ts';
import { badRequest, unknownModel } from './refusals.ts';
import { get } from './routing.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

/** The API level that this face follows. */
const ollamaVersion = '0.12.9';
/** Lines of progress that a download sends. */
const pullSteps = 10;

export function ollamaModelRoutes(simulation: Simulation): readonly Route[] {
  const { models } = simulation;
  const tags = (): unknown => ({ models: models.list().map((model) => tagOf(simulation, model)) });
  const routes = [
    get('/', (exchange) => exchange.text('Ollama is running', 'text/plain; charset=utf-8')),
    get('/api/version', (exchange) => exchange.json({ version: ollamaVersion })),
    get('/api/tags', (exchange) => exchange.json(tags())),
    post('/api/show', (exchange, body) => show(simulation, exchange, body)),
    post('/api/pull', (exchange, body) => pull(simulation, exchange, body)),
  ];
  if (hasQuirk(simulation, 'ollama-no-ps')) return routes;
  return [...routes, get('/api/ps', (exchange) => exchange.json(loadedOf(simulation)))];
}

function post(path: string, handle: Route['handle']): Route {
  return { method: 'POST', path, inference: false, open: false, handle };
}

function digestOf(name: string): string {
  return nodeCrypto.sha256Hex(name);
}

function tagOf({ startedAt }: Simulation, { name, sizeBytes }: StoredModel): JsonObject {
  return {
    name,
    model: name,
    modified_at: startedAt.toISOString(),
    size: sizeBytes,
    digest: digestOf(name),
    details: details(),
  };
}

function loadedOf(simulation: Simulation): unknown {
  const loaded = simulation.models.list().filter(({ state }) => state === 'loaded');
  return {
    models: loaded.map((model) => ({
      ...tagOf(simulation, model),
      expires_at: expiryText(model.expiresAtMs ?? Infinity),
      size_vram: model.vramBytes,
      context_length: simulation.options.contextLength,
    })),
  };
}

/** Far away stands for never, as in Ollama itself, which adds the longest duration of Go. */
function expiryText(ms: number): string {
  return new Date(Number.isFinite(ms) ? ms : Date.UTC(2318, 0)).toISOString();
}

function details(): JsonObject {
  return {
    parent_model: '',
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '7B',
    quantization_level: 'Q4_0',
  };
}

/** Old servers read `name` alone, and tell neither abilities nor the window. */
function show(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const isOld = hasQuirk(simulation, 'ollama-old-show');
  const asked = (isOld ? undefined : textMember(body, 'model')) ?? textMember(body, 'name');
  if (asked === undefined) {
    exchange.refuse(badRequest('model is required'));
    return;
  }
  const model = servedModel(simulation, asked);
  if (model === undefined) exchange.refuse(unknownModel('ollama', asked));
  else exchange.json(isOld ? basicsOf(simulation, model) : shownOf(simulation, model));
}

function basicsOf({ options }: Simulation, model: string): JsonObject {
  return {
    modelfile: `# simulated\nFROM ${model}\n`,
    parameters: `num_ctx ${options.contextLength}`,
    template: '{{ .Prompt }}',
    details: details(),
  };
}

function shownOf(simulation: Simulation, model: string): JsonObject {
  const { isEmbedding, hasVision } = abilitiesOf(model);
  const vision = hasVision ? ['vision'] : [];
  return {
    ...basicsOf(simulation, model),
    model_info: {
      'general.architecture': 'llama',
      'general.parameter_count': 6_738_415_616,
      'llama.context_length': simulation.options.contextLength,
      'llama.embedding_length': 4096,
      'llama.block_count': 32,
    },
    capabilities: isEmbedding ? ['embedding'] : ['completion', 'tools', ...vision],
    modified_at: simulation.startedAt.toISOString(),
  };
}

/**
 * Downloads for as long as a load takes, and adds the model at the end. A client that leaves ends the
 * download. A name that ends in `:missing` is not in the library.
 */
function pull(simulation: Simulation, exchange: Exchange, body: JsonObject): void {
  const name = textMember(body, 'model') ?? textMember(body, 'name');
  if (name === undefined) {
    exchange.refuse(badRequest('model is required'));
    return;
  }
  const isStream = body['stream'] !== false;
  const tell = (line: JsonObject): void => {
    if (isStream) exchange.chunk(`${JSON.stringify(line)}\n`, ndjson);
  };
  tell({ status: 'pulling manifest' });
  if (name.endsWith(':missing')) {
    endPull(exchange, isStream, { error: 'pull model manifest: file does not exist' });
    return;
  }
  const { models } = simulation;
  download(exchange, models.bytesOf(name), models.loadMsOf(name), digestOf(name), tell, () => {
    models.add(name);
    models.pulls++;
    for (const status of ['verifying sha256 digest', 'writing manifest']) tell({ status });
    endPull(exchange, isStream, { status: 'success' });
  });
}

const ndjson = 'application/x-ndjson';

function endPull(exchange: Exchange, isStream: boolean, line: JsonObject): void {
  if (isStream) exchange.endStream(`${JSON.stringify(line)}\n`, ndjson);
  else exchange.json(line, 'error' in line ? 500 : 200);
}

function download(
  exchange: Exchange,
  total: number,
  ms: number,
  hex: string,
  tell: (line: JsonObject) => void,
  done: () => void,
): void {
  let step = 0;
  const head = { status: `pulling ${hex.slice(0, 12)}`, digest: `sha256:${hex}`, total };
  const timer = setInterval(
    () => {
      step++;
      tell({ ...head, completed: Math.floor((total * step) / pullSteps) });
      if (step < pullSteps || exchange.over) return;
      clearInterval(timer);
      done();
    },
    Math.max(1, ms / pullSteps),
  );
  exchange.onAbort(() => clearInterval(timer));
}
