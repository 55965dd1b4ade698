// OpenAI's answers as Ollama's: one object, or one object a line while it streams.
//   https://docs.ollama.com/api/chat, .../api/generate, .../api/embed
//
// Durations are nanoseconds of our own clock: `prompt_eval_duration` runs to the first piece,
// `eval_duration` from there to the end. What the engine does inside, loading above all, is not known
// here and told as 0. A call of a tool goes out in one piece, because its arguments are an object.
//
// L1  exactly one line has `done: true`, the last one, unless the last one is an error.

import { err, ok, type Result } from '../../base/result.ts';
import { errorBody } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { isObject } from '../openai/member-check.ts';
import { usageOfValue } from '../openai/usage.ts';
import type { ChatAnswer, FaceCounts, Finish } from './chat-answer.ts';
import type { FaceWriter, StreamEnd } from './chat-events.ts';
import type { FaceFacts } from './face.ts';
import { jsonText, objectText, RawJson } from './raw-json.ts';

/** What of the request its answer depends on. */
export type LineFacts = FaceFacts & {
  readonly model: string;
  readonly wantsThoughts: boolean;
  /** `chat` puts what was said into a message, `generate` beside the rest. */
  readonly form: 'chat' | 'generate';
};

type Said = {
  readonly text: string;
  readonly thoughts?: string | undefined;
  readonly calls?: readonly object[] | undefined;
};

const argumentsBytesMax = 1024 * 1024;

/** Line ends in JSON stand between its tokens only, and an object has one line here. */
function callOf(id: string | undefined, name: string, given: RawJson, index: number): object {
  const text = given.text.replaceAll(/[\r\n]+/g, ' ');
  return { id, function: { index, name, arguments: new RawJson(text) } };
}

function saidIn(form: LineFacts['form'], said: Said): object {
  const { text, thoughts: thinking, calls } = said;
  if (form === 'generate') return { response: text, thinking };
  return { message: { role: 'assistant', content: text, thinking, tool_calls: calls } };
}

function headOf(facts: LineFacts, nowMs: number): object {
  return { model: facts.model, created_at: new Date(nowMs).toISOString() };
}

function nanoseconds(fromMs: number, untilMs: number): number {
  return Math.max(0, Math.round((untilMs - fromMs) * 1e6));
}

type Times = { readonly startedMs: number; readonly firstMs: number; readonly nowMs: number };

function endOf(finish: Finish, counts: FaceCounts, times: Times): object {
  const { startedMs, firstMs, nowMs } = times;
  return {
    done: true,
    done_reason: finish === 'length' ? 'length' : 'stop',
    total_duration: nanoseconds(startedMs, nowMs),
    load_duration: 0,
    prompt_eval_count: counts.prompt,
    prompt_eval_duration: nanoseconds(startedMs, firstMs),
    eval_count: counts.completion,
    eval_duration: nanoseconds(firstMs, nowMs),
  };
}

/** A whole answer. When its first piece came is not known: all of the time counts as generation. */
export function wholeLine(answer: ChatAnswer, facts: LineFacts, nowMs: number): Buffer {
  const { startedMs, promptTokens: prompt, wantsThoughts } = facts;
  const calls = answer.calls.map((call, at) => callOf(call.id, call.name, call.arguments, at));
  const said = {
    text: answer.text,
    thoughts: wantsThoughts && answer.thoughts !== '' ? answer.thoughts : undefined,
    calls: calls.length === 0 ? undefined : calls,
  };
  const completion = Buffer.byteLength(answer.text) >> 2;
  const counts = answer.counts ?? { prompt, cached: 0, completion };
  const text = jsonText({
    ...headOf(facts, nowMs),
    ...saidIn(facts.form, said),
    ...endOf(answer.finish, counts, { startedMs, firstMs: startedMs, nowMs }),
  });
  return Buffer.from(text);
}

type PendingCall = {
  readonly id: string | undefined;
  readonly name: string;
  text: string;
};

export class LineWriter implements FaceWriter {
  readonly #facts: LineFacts;
  #firstMs: number | undefined;
  #call: PendingCall | undefined;
  #calls = 0;
  #faultWords: string | undefined;

  constructor(facts: LineFacts) {
    this.#facts = facts;
  }

  get faultWords(): string | undefined {
    return this.#faultWords;
  }

  text(text: string, nowMs: number): string {
    return this.#finishCall(nowMs) + this.#line({ text }, nowMs);
  }

  thought(text: string, nowMs: number): string {
    this.#firstMs ??= nowMs;
    return this.#facts.wantsThoughts ? this.#line({ text: '', thoughts: text }, nowMs) : '';
  }

  callBegan(id: string | undefined, name: string, nowMs: number): string {
    const before = this.#finishCall(nowMs);
    this.#firstMs ??= nowMs;
    this.#call = { id, name, text: '' };
    return before;
  }

  callPiece(text: string): string {
    if (this.#call === undefined) return '';
    this.#call.text += text;
    if (this.#call.text.length > argumentsBytesMax) {
      this.#faultWords = `The backend called a tool with arguments of more than ${argumentsBytesMax} characters.`;
    }
    return '';
  }

  end(end: StreamEnd, nowMs: number): string {
    const { startedMs, promptTokens: prompt, form } = this.#facts;
    const last = this.#finishCall(nowMs, end.finish === 'length');
    const counts = end.counts ?? { prompt, cached: 0, completion: end.pieces };
    const times = { startedMs, firstMs: this.#firstMs ?? nowMs, nowMs };
    const line = {
      ...headOf(this.#facts, nowMs),
      ...saidIn(form, { text: '' }),
      ...endOf(end.finish, counts, times),
    };
    return `${last}${JSON.stringify(line)}\n`;
  }

  error(message: string): string {
    return `${JSON.stringify({ error: message })}\n`;
  }

  refused(cause: Refusal): string {
    return `${errorBody('ollama', cause)}\n`;
  }

  #line(said: Said, nowMs: number): string {
    this.#firstMs ??= nowMs;
    const line = { ...headOf(this.#facts, nowMs), ...saidIn(this.#facts.form, said), done: false };
    return `${jsonText(line)}\n`;
  }

  /** The call that is whole now; what the output limit cut off is left out. */
  #finishCall(nowMs: number, isCut = false): string {
    const call = this.#call;
    if (call === undefined) return '';
    this.#call = undefined;
    const given = objectText(call.text.trim() === '' ? '{}' : call.text);
    if (given === undefined) {
      if (!isCut) {
        this.#faultWords = 'The backend called a tool with arguments that are no JSON object.';
      }
      return '';
    }
    const calls = [callOf(call.id, call.name, given, this.#calls++)];
    return this.#line({ text: '', calls }, nowMs);
  }
}

const noEmbeddings = 'The backend answered with something that is no list of embeddings.';

/** The vectors of an answer in the order of their inputs, each in the engine's own digits. */
function vectorsOf(answer: unknown, raw: RawJson): readonly RawJson[] | undefined {
  if (!isObject(answer) || !Array.isArray(answer['data'])) return undefined;
  const data = raw.member('data');
  const found: RawJson[] = [];
  for (const [at, value] of answer['data'].entries()) {
    const index: unknown = isObject(value) ? value['index'] : undefined;
    const vector = data?.element(at)?.member('embedding');
    if (vector?.text.startsWith('[') !== true) return undefined;
    found[typeof index === 'number' ? index : at] = vector;
  }
  return Object.keys(found).length === found.length && found.length === answer['data'].length
    ? found
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The answer of `/api/embed`, or with `isOlder` that of `/api/embeddings`, which has one vector. */
export function embeddingsAnswer(
  body: Buffer,
  facts: FaceFacts & { readonly model: string },
  nowMs: number,
  isOlder: boolean,
): Result<Buffer, string> {
  const text = body.toString('utf8');
  const answer = parsed(text);
  const vectors = answer === undefined ? undefined : vectorsOf(answer, new RawJson(text));
  if (vectors === undefined || vectors.length === 0) return err(noEmbeddings);
  if (isOlder) return ok(Buffer.from(jsonText({ embedding: vectors[0] })));
  const usage = usageOfValue(answer);
  const made = jsonText({
    model: facts.model,
    embeddings: vectors,
    total_duration: nanoseconds(facts.startedMs, nowMs),
    load_duration: 0,
    prompt_eval_count: usage.kind === 'usage' ? usage.promptTokens : facts.promptTokens,
  });
  return ok(Buffer.from(made));
}
