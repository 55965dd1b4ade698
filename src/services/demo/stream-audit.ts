// Reads the raw bytes of one event stream beside the client library, because that one stops reading
// at an error event and could not say what came after it. What a stream must look like:
//
//   complete   content events, then [DONE], then nothing
//   cut        content events, then exactly one error event, then [DONE], then nothing
//
// Everything else is broken, and says in what.

export type StreamEnd =
  | { readonly kind: 'complete' }
  | { readonly kind: 'cut'; readonly words: string }
  | { readonly kind: 'broken'; readonly words: string };

/** The message of `{"error": {"message": ...}}`; undefined when the data is no error. */
function errorWords(data: string): string | undefined {
  if (!data.includes('"error"')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('error' in value)) return undefined;
  const { error } = value;
  const hasWords = typeof error === 'object' && error !== null && 'message' in error;
  return hasWords ? String(error.message) : String(error);
}

export class StreamAudit {
  readonly #decoder = new TextDecoder();
  #carried = '';
  #contentEvents = 0;
  #errors: string[] = [];
  #doneMarks = 0;
  #contentAfterError = 0;
  #eventsAfterDone = 0;

  /** Events with generated content so far. */
  get contentEvents(): number {
    return this.#contentEvents;
  }

  push(bytes: Uint8Array): void {
    const text = this.#carried + this.#decoder.decode(bytes, { stream: true });
    let start = 0;
    for (;;) {
      const end = text.indexOf('\n\n', start);
      if (end < 0) break;
      this.#event(text.slice(start, end));
      start = end + 2;
    }
    this.#carried = text.slice(start);
  }

  /** What the stream was; call it once nothing more comes. */
  end(): StreamEnd {
    const faults: string[] = [];
    if (this.#carried.trim() !== '') faults.push('it ends inside an event');
    if (this.#errors.length > 1) faults.push(`${this.#errors.length} error events`);
    if (this.#doneMarks !== 1) faults.push(`${this.#doneMarks} [DONE] marks`);
    if (this.#contentAfterError > 0) faults.push('content after an error event');
    if (this.#eventsAfterDone > 0) faults.push('events after [DONE]');
    if (faults.length > 0) return { kind: 'broken', words: faults.join(', ') };
    const [words] = this.#errors;
    return words === undefined ? { kind: 'complete' } : { kind: 'cut', words };
  }

  #event(event: string): void {
    const data = event
      .split('\n')
      .filter((line) => line.startsWith('data:'))
      .map((line) => line.slice(line.startsWith('data: ') ? 6 : 5))
      .join('\n');
    if (data === '') return;
    if (this.#doneMarks > 0) this.#eventsAfterDone++;
    if (data === '[DONE]') {
      this.#doneMarks++;
      return;
    }
    const words = errorWords(data);
    if (words !== undefined) this.#errors.push(words);
    else if (this.#errors.length > 0) this.#contentAfterError++;
    else this.#contentEvents++;
  }
}
