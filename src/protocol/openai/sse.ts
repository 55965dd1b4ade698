// Watches an event stream of a backend while its bytes pass by untouched. It says when the first
// generated content came, whether the stream ended as it should, what usage it reported, and when
// it is no event stream that may be passed on (cases 223 to 225).
//
// Cheap by what it leaves out: complete events are found by `indexOf`, none is parsed once content
// has begun, and of usage only the last candidate's text is kept, parsed when somebody asks. An
// event cut by a chunk border is carried over as a string rope and looked at when it is complete,
// so every split of the same bytes gives the same answers.
//
// W1: `carried` never ends in a line end followed by a line end: what is carried is incomplete.
// W2: after a fault nothing more is read.

import { errorBody } from '../../errors/faces.ts';
import type { Refusal } from '../../errors/tensorforge-error.ts';
import { type UsageReport, usageOfText } from './usage.ts';

/** Why a stream must be cut: each would reach a client as something else than we saw. */
export type SseFault = 'event_too_large' | 'bare_carriage_return' | 'nul_byte';

/** Security section 3: the longest event of a backend. */
export const sseEventBytesMax = 1024 * 1024;

const doneText = '[DONE]';
const usageName = '"usage"';
const terminalTypes = /^event: ?response\.(?:completed|incomplete|failed)$/m;
/** The same in the data, where a backend leaves the event line out. */
const terminalData = /^\{"type": ?"response\.(?:completed|incomplete|failed)"/;

export class SseWatcher {
  readonly #eventBytesMax: number;
  #carried = '';
  #carriedBytes = 0;
  /** Does the carried text end in a line end, so that a line end now would complete the event? */
  #atLineStart = false;
  #pendingReturn = false;
  #usageText: string | undefined;
  #fault: SseFault | undefined;
  #firstContent = false;
  #done = false;
  #failed = false;
  #dataEvents = 0;
  #events = 0;

  constructor(eventBytesMax: number = sseEventBytesMax) {
    this.#eventBytesMax = eventBytesMax;
  }

  /** Has an event with generated content passed? Comments, roles and empty deltas are none. */
  get firstContent(): boolean {
    return this.#firstContent;
  }

  /** Has the end mark passed: `data: [DONE]`, or a closing event of the Responses API? */
  get done(): boolean {
    return this.#done;
  }

  /** Has the backend sent an error event, or before any content one that is no JSON? */
  get failed(): boolean {
    return this.#failed;
  }

  get fault(): SseFault | undefined {
    return this.#fault;
  }

  /** Events with data so far, the end mark left out: our own count of output, at least. */
  get dataEvents(): number {
    return this.#dataEvents;
  }

  /** Complete events so far, comments included: did the last bytes end one? */
  get events(): number {
    return this.#events;
  }

  /** Is nothing but complete events behind us? */
  get atEventBorder(): boolean {
    return this.#carriedBytes === 0 && !this.#pendingReturn;
  }

  /** The last usage that the stream reported; parsed at each call. */
  usage(): UsageReport {
    return this.#usageText === undefined ? { kind: 'absent' } : usageOfText(this.#usageText);
  }

  /** Looks at the next bytes. A fault means: pass these bytes on to nobody. */
  push(chunk: Buffer): SseFault | undefined {
    if (this.#fault !== undefined || chunk.length === 0) return this.#fault;
    let text = chunk.toString('latin1');
    if (text.includes('\0')) return this.#fail('nul_byte');
    if (this.#pendingReturn || text.includes('\r')) {
      const plain = this.#withoutReturns(text);
      if (plain === undefined) return this.#fail('bare_carriage_return');
      text = plain;
    }
    return this.#read(text);
  }

  #fail(fault: SseFault): SseFault {
    this.#fault = fault;
    this.#carried = '';
    return fault;
  }

  /** CR LF becomes LF; undefined when a CR stands alone. One at the very end waits for its LF. */
  #withoutReturns(chunkText: string): string | undefined {
    const text = this.#pendingReturn ? `\r${chunkText}` : chunkText;
    this.#pendingReturn = text.endsWith('\r');
    const plain = (this.#pendingReturn ? text.slice(0, -1) : text).replaceAll('\r\n', '\n');
    return plain.includes('\r') ? undefined : plain;
  }

  #read(text: string): SseFault | undefined {
    if (text.length === 0) return undefined;
    let start = 0;
    if (this.#carriedBytes > 0) {
      start = this.#finishCarried(text);
      if (start < 0) return this.#carry(text);
      if (this.#fault !== undefined) return this.#fault;
    }
    // Found once for all events of the chunk, and again only when one is behind us.
    let usageAt = text.indexOf(usageName, start);
    for (;;) {
      // Blank lines between events mean nothing.
      while (text.charCodeAt(start) === 0x0a) start += 1;
      const end = text.indexOf('\n\n', start);
      if (end < 0) break;
      if (end - start > this.#eventBytesMax) return this.#fail('event_too_large');
      if (usageAt >= 0 && usageAt < start) usageAt = text.indexOf(usageName, start);
      this.#event(text, start, end, usageAt >= 0 && usageAt < end);
      start = end + 2;
    }
    return start < text.length ? this.#carry(text.slice(start)) : undefined;
  }

  /** Ends the carried event where its blank line is; gives the offset behind it, or -1. */
  #finishCarried(text: string): number {
    const straddles = this.#atLineStart && text.charCodeAt(0) === 0x0a;
    const end = straddles ? 0 : text.indexOf('\n\n');
    if (end < 0) return -1;
    const event = straddles ? this.#carried.slice(0, -1) : this.#carried + text.slice(0, end);
    this.#carried = '';
    this.#carriedBytes = 0;
    this.#atLineStart = false;
    if (event.length > this.#eventBytesMax) this.#fail('event_too_large');
    else this.#event(event, 0, event.length, event.includes(usageName));
    return straddles ? 1 : end + 2;
  }

  #carry(text: string): SseFault | undefined {
    this.#carried += text;
    this.#carriedBytes += text.length;
    this.#atLineStart = text.endsWith('\n');
    // The line end that a border cuts off from its twin is no part of the event.
    if (this.#carriedBytes > this.#eventBytesMax + 1) return this.#fail('event_too_large');
    return undefined;
  }

  /** One complete event: `text` from `start` to `end`, without its blank line. */
  #event(text: string, start: number, end: number, namesUsage: boolean): void {
    this.#events += 1;
    if (text.startsWith('data:', start)) {
      const newline = text.indexOf('\n', start);
      if (newline < 0 || newline >= end) {
        const dataStart = text.charCodeAt(start + 5) === 0x20 ? start + 6 : start + 5;
        this.#data(text, dataStart, end, namesUsage);
        return;
      }
    }
    const event = text.slice(start, end);
    const data = dataOf(event);
    if (terminalTypes.test(event)) this.#done = true;
    if (/^event: ?error$/m.test(event)) this.#failed = true;
    if (data !== undefined) this.#data(data, 0, data.length, namesUsage);
  }

  #data(text: string, start: number, end: number, namesUsage: boolean): void {
    if (end - start === doneText.length && text.startsWith(doneText, start)) {
      this.#done = true;
      return;
    }
    this.#dataEvents += 1;
    if (text.startsWith('{"error"', start)) this.#failed = true;
    else if (text.startsWith('{"type"', start) && terminalData.test(text.slice(start, start + 64)))
      this.#done = true;
    if (!this.#firstContent) {
      const value = parsed(text.slice(start, end));
      if (value === undefined) this.#failed = true;
      else this.#firstContent = hasContent(value);
    }
    if (!namesUsage) return;
    const data = text.slice(start, end);
    // Many backends send `"usage": null` with every event.
    if (/"usage" ?: ?\{/.test(data)) this.#usageText = data;
  }
}

/** The data lines of an event joined as the standard says; undefined when there is none. */
function dataOf(event: string): string | undefined {
  let data: string | undefined;
  for (const line of event.split('\n')) {
    if (line !== 'data' && !line.startsWith('data:')) continue;
    const value = line.slice(line.startsWith('data: ') ? 6 : 5);
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}

function isFilled(value: unknown): boolean {
  if (typeof value === 'string') return value !== '';
  if (Array.isArray(value)) return value.length > 0;
  return value !== undefined && value !== null;
}

function choiceHasContent(choice: unknown): boolean {
  if (typeof choice !== 'object' || choice === null) return false;
  if ('finish_reason' in choice && isFilled(choice.finish_reason)) return true;
  if ('text' in choice && isFilled(choice.text)) return true;
  if (!('delta' in choice)) return false;
  const { delta } = choice;
  if (typeof delta !== 'object' || delta === null) return false;
  // A delta with nothing but a role announces content and is none.
  return Object.entries(delta).some(([name, value]) => name !== 'role' && isFilled(value));
}

/** The JSON value of one event's data; undefined when it is none. */
function parsed(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return undefined;
  }
}

/** Does an event carry generated content? Unknown shapes count as content. */
function hasContent(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || 'error' in value) return false;
  if ('choices' in value) {
    return Array.isArray(value.choices) && value.choices.some(choiceHasContent);
  }
  if ('type' in value && typeof value.type === 'string') return value.type.endsWith('.delta');
  return true;
}

/** What ends a stream. */
export const doneEvent = `data: ${doneText}\n\n`;

/** The text of an error inside a stream that has begun: one error event, then the end mark. */
export function errorEvent(refusal: Refusal): string {
  return `data: ${errorBody('openai', refusal)}\n\n${doneEvent}`;
}
