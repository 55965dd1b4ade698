// From a parsed request to its answer: digest the prompt, choose the output length, run it through
// the engine, and let the face's writer put the tokens into its wire format.

import { azureOutputTokens } from '../../core/workload/azure-conversation.ts';
import { tokenText } from '../../core/workload/engine/generated-content.ts';
import {
  digestPrompt,
  type PromptDigest,
  scramble,
} from '../../core/workload/engine/prompt-digest.ts';
import { quantileAt } from '../../core/workload/quantile-table.ts';
import type { GenerationTiming } from './engine-driver.ts';
import type { Exchange } from './exchange.ts';
import { queueFull, tooLong } from './refusals.ts';
import type { Simulation } from './simulation.ts';

export type GenerationSpec = {
  readonly model: string;
  readonly text: string;
  /** Tokens of what is not text, such as images. */
  readonly extraTokens: number;
  /** Exactly so many tokens come out; undefined: a length from the trace's distribution. */
  readonly maxTokens: number | undefined;
  readonly stream: boolean;
};

export type GenerationResult = {
  readonly text: string;
  readonly promptTokens: number;
  readonly completionTokens: number;
  /** `length` when the request named the number of tokens. */
  readonly finishReason: 'stop' | 'length';
  readonly timing: GenerationTiming;
};

/** How a face words an answer. Texts are complete frames, ready to send. */
export type GenerationWriter = {
  readonly contentType: string;
  /** Sent with the first content. */
  opening(): string;
  content(text: string): string;
  closing(result: GenerationResult): string;
  whole(result: GenerationResult): unknown;
};

export function generate(
  simulation: Simulation,
  exchange: Exchange,
  spec: GenerationSpec,
  writer: GenerationWriter,
): void {
  const { options, engine } = simulation;
  const prompt = digestPrompt(spec.text, `${options.seed}\n${spec.model}\n`, spec.extraTokens);
  const room = engine.lengthMax - prompt.tokens;
  const strict = options.as === 'vllm' || options.as === 'openai';
  if (room < 1 || (strict && (spec.maxTokens ?? 0) > room)) {
    exchange.refuse(tooLong(prompt.tokens, spec.maxTokens ?? 1, engine.lengthMax));
    return;
  }
  const outputTokens = Math.min(spec.maxTokens ?? drawnOutputTokens(prompt), room);
  const resultOf = (timing: GenerationTiming): GenerationResult => ({
    text: tokenText(prompt.digest, 0, outputTokens),
    promptTokens: prompt.tokens,
    completionTokens: outputTokens,
    finishReason: spec.maxTokens === undefined ? 'stop' : 'length',
    timing,
  });
  let sent = 0;
  const submitted = engine.submit(
    {
      promptTokens: prompt.tokens,
      promptBlocks: prompt.blocks,
      outputTokens,
      slowness: slownessOf(exchange),
    },
    {
      onTokens(produced) {
        if (!spec.stream) return;
        const due = sent === 0 || produced === outputTokens;
        if (!due && produced - sent < options.streamInterval) return;
        const frame = writer.content(tokenText(prompt.digest, sent, produced));
        const text = sent === 0 ? writer.opening() + frame : frame;
        sent = produced;
        exchange.chunk(text, writer.contentType);
      },
      onFinished(timing) {
        if (spec.stream) exchange.endStream(writer.closing(resultOf(timing)));
        else exchange.json(writer.whole(resultOf(timing)));
      },
    },
  );
  if (!submitted.ok) {
    exchange.refuse(
      submitted.error === 'queue_full'
        ? queueFull(options.as)
        : tooLong(prompt.tokens, outputTokens, engine.lengthMax),
    );
    return;
  }
  exchange.onAbort(() => engine.abort(submitted.value));
}

/** Runs a prompt that has no output, as embeddings do; `done` is called once it is computed. */
export function prefillOnly(
  simulation: Simulation,
  exchange: Exchange,
  prompts: readonly PromptDigest[],
  done: () => void,
): void {
  const { engine, options } = simulation;
  const promptTokens = prompts.reduce((sum, prompt) => sum + prompt.tokens, 0);
  const submitted = engine.submit(
    { promptTokens, promptBlocks: [], outputTokens: 0, slowness: slownessOf(exchange) },
    { onTokens() {}, onFinished: done },
  );
  if (!submitted.ok) {
    exchange.refuse(
      submitted.error === 'queue_full'
        ? queueFull(options.as)
        : tooLong(promptTokens, 0, engine.lengthMax),
    );
    return;
  }
  exchange.onAbort(() => engine.abort(submitted.value));
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
