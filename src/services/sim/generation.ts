// From a parsed request to its answer: digest the prompt, choose the output length, wait for the
// model to be in memory, run it through the engine, and let the face's writer put the tokens into
// its wire format.

import { azureOutputTokens } from '../../core/workload/azure-conversation.ts';
import { charactersPerToken } from '../../core/workload/engine/constants.ts';
import type { EngineRefusal } from '../../core/workload/engine/engine-model.ts';
import { tokenText } from '../../core/workload/engine/generated-content.ts';
import {
  digestPrompt,
  type PromptDigest,
  scramble,
} from '../../core/workload/engine/prompt-digest.ts';
import { quantileAt } from '../../core/workload/quantile-table.ts';
import type { GenerationListener, GenerationTiming } from './engine-driver.ts';
import type { Exchange } from './exchange.ts';
import { faceFacts } from './face-facts.ts';
import { loading, queueFull, type SimRefusal, tooLong } from './refusals.ts';
import type { Simulation } from './simulation.ts';

export type GenerationSpec = {
  readonly model: string;
  readonly text: string;
  /** Tokens of what is not text, such as images. */
  readonly extraTokens: number;
  /** Exactly so many tokens come out; undefined: a length from the trace's distribution. */
  readonly maxTokens: number | undefined;
  /** The drawn length is cut off here, where a limit is mandatory and says little. */
  readonly capTokens?: number | undefined;
  readonly stream: boolean;
  /** What comes out instead of made-up text, such as the arguments of a tool call. */
  readonly output?: string | undefined;
  /** How long the model stays in memory after this. */
  readonly keepAliveMs?: number | undefined;
};

export type GenerationResult = {
  readonly text: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** `length` when a limit of the request ended it. */
  readonly finishReason: 'stop' | 'length';
  readonly timing: GenerationTiming;
  /** Real time that the request waited for its model to be loaded, ms. */
  readonly loadMs: number;
};

/** How a face words an answer. Texts are complete frames, ready to send. */
export type GenerationWriter = {
  readonly contentType: string;
  /** Sent with the first content. */
  opening(promptTokens: number): string;
  /** Empty where the face has nothing to say before the end. */
  content(text: string): string;
  closing(result: GenerationResult): string;
  whole(result: GenerationResult): unknown;
};

type OutputPlan = Pick<GenerationResult, 'text' | 'completionTokens' | 'finishReason'>;

export function generate(
  simulation: Simulation,
  exchange: Exchange,
  spec: GenerationSpec,
  writer: GenerationWriter,
): void {
  const { options, engine } = simulation;
  const prompt = digestPrompt(spec.text, `${options.seed}\n${spec.model}\n`, spec.extraTokens);
  const room = engine.lengthMax - prompt.tokens;
  const asked = spec.maxTokens ?? spec.capTokens;
  if (room < 1 || (faceFacts[options.as].isStrict && (asked ?? 0) > room)) {
    exchange.refuse(tooLong(prompt.tokens, asked ?? 1, engine.lengthMax));
    return;
  }
  const plan = outputPlan(spec, prompt, room);
  withModel(simulation, exchange, spec, (loadMs) =>
    run(simulation, exchange, spec.stream, prompt, { ...plan, loadMs }, writer),
  );
}

function outputPlan(spec: GenerationSpec, prompt: PromptDigest, room: number): OutputPlan {
  const wanted =
    spec.output === undefined
      ? (spec.maxTokens ?? drawnOutputTokens(prompt))
      : Math.max(1, Math.ceil(spec.output.length / charactersPerToken));
  const limit = spec.output === undefined ? spec.capTokens : (spec.maxTokens ?? spec.capTokens);
  const completionTokens = Math.min(wanted, limit ?? wanted, room);
  const isNamed = spec.output === undefined && spec.maxTokens !== undefined;
  return {
    completionTokens,
    text:
      spec.output?.slice(0, completionTokens * charactersPerToken) ??
      tokenText(prompt.digest, 0, completionTokens),
    finishReason:
      isNamed || completionTokens < (limit === undefined ? 0 : wanted) ? 'length' : 'stop',
  };
}

function run(
  simulation: Simulation,
  exchange: Exchange,
  isStream: boolean,
  prompt: PromptDigest,
  plan: OutputPlan & { readonly loadMs: number },
  writer: GenerationWriter,
): void {
  const interval = simulation.options.streamInterval;
  const resultOf = (timing: GenerationTiming): GenerationResult => ({
    ...plan,
    promptTokens: prompt.tokens,
    timing,
  });
  let sent = 0;
  submit(simulation, exchange, [prompt], plan.completionTokens, {
    onTokens(produced) {
      if (!isStream) return;
      const due = sent === 0 || produced === plan.completionTokens;
      if (!due && produced - sent < interval) return;
      const piece = plan.text.slice(sent * charactersPerToken, produced * charactersPerToken);
      const frame = writer.content(piece);
      const text = sent === 0 ? writer.opening(prompt.tokens) + frame : frame;
      sent = produced;
      if (text !== '') exchange.chunk(text, writer.contentType);
    },
    onFinished(timing) {
      const result = resultOf(timing);
      if (isStream) exchange.endStream(writer.closing(result), writer.contentType);
      else exchange.json(writer.whole(result));
    },
  });
}

/** Runs a prompt that has no output, as embeddings do; `done` is called once it is computed. */
export function prefillOnly(
  simulation: Simulation,
  exchange: Exchange,
  model: string,
  prompts: readonly PromptDigest[],
  done: () => void,
): void {
  withModel(simulation, exchange, { model }, () =>
    submit(simulation, exchange, prompts, 0, { onTokens() {}, onFinished: done }),
  );
}

/** `then` runs when the model is in memory, unless the client has left by then. */
function withModel(
  { models, options }: Simulation,
  exchange: Exchange,
  { model, keepAliveMs }: Pick<GenerationSpec, 'model' | 'keepAliveMs'>,
  then: (loadMs: number) => void,
): void {
  const askedAt = Date.now();
  models.use(
    model,
    (end) => {
      if (exchange.over) return;
      if (end === 'loaded') then(Date.now() - askedAt);
      else exchange.refuse(loading(options.as));
    },
    keepAliveMs,
  );
}

function submit(
  simulation: Simulation,
  exchange: Exchange,
  prompts: readonly PromptDigest[],
  outputTokens: number,
  listener: GenerationListener,
): void {
  const { engine, options, work } = simulation;
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.tokens, 0);
  // Blocks are found again for one prompt; several in one request are computed anew.
  const promptBlocks = outputTokens === 0 ? [] : (prompts[0]?.blocks ?? []);
  const slowness = slownessOf(exchange);
  const submitted = engine.submit({ promptTokens, promptBlocks, outputTokens, slowness }, listener);
  if (!submitted.ok) {
    exchange.refuse(refusalOf(simulation, submitted.error, promptTokens, outputTokens));
    return;
  }
  work.generations++;
  if (faceFacts[options.as].isPaid) work.paidCalls++;
  exchange.onAbort(() => engine.abort(submitted.value));
}

function refusalOf(
  { options, engine }: Simulation,
  refusal: EngineRefusal,
  promptTokens: number,
  outputTokens: number,
): SimRefusal {
  return refusal === 'queue_full'
    ? queueFull(options.as)
    : tooLong(promptTokens, outputTokens, engine.lengthMax);
}

/** A length from the Azure conversation trace; the same prompt always draws the same. */
function drawnOutputTokens(prompt: PromptDigest): number {
  const unit = scramble(prompt.digest ^ 0x6c656e) / 2 ** 32;
  return Math.max(1, Math.round(quantileAt(azureOutputTokens, unit)));
}

/** Times as long, where a `slow` fault names no factor. */
const slownessDefault = 10;

function slownessOf(exchange: Exchange): number {
  if (exchange.fault?.kind !== 'slow') return 1;
  return exchange.fault.factor ?? slownessDefault;
}
