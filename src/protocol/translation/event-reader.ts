// Takes an event stream apart: bytes in any cut, the data of whole events out. Only bytes are looked
// at until an event is whole, so a chunk may end inside a character.
//
// E1  what comes out does not depend on how the bytes were cut;
// E2  no more is held than one event of the longest length;
// E3  after a fault nothing comes out.

const lineData = 'data:';

/** The data lines joined as the standard says; undefined when there is none. */
function dataOf(event: string): string | undefined {
  let data: string | undefined;
  for (const line of event.split('\n')) {
    if (!line.startsWith(lineData)) continue;
    const value = line.slice(line.startsWith('data: ') ? 6 : 5);
    data = data === undefined ? value : `${data}\n${value}`;
  }
  return data;
}

export class EventReader {
  readonly #eventBytesMax: number;
  /** The event that is not whole yet, one character a byte. */
  #carried = '';
  #endsLine = false;
  #pendingReturn = false;
  #found: Buffer[] = [];
  #isTooLong = false;

  constructor(eventBytesMax: number) {
    this.#eventBytesMax = eventBytesMax;
  }

  /** Was an event longer than the limit? */
  get isTooLong(): boolean {
    return this.#isTooLong;
  }

  /** The data of the events that are whole now, in UTF-8. */
  push(chunk: Buffer): readonly Buffer[] {
    this.#read(this.#withLineFeeds(chunk.toString('latin1')));
    return this.#take();
  }

  /** The bytes have ended: a carriage return that waited for its line feed ends a line. */
  end(): readonly Buffer[] {
    if (this.#pendingReturn) this.#read('\n');
    this.#pendingReturn = false;
    return this.#take();
  }

  #take(): readonly Buffer[] {
    const found = this.#found;
    this.#found = [];
    return found;
  }

  /** CR LF and CR become LF; one at the very end waits, for its LF may follow. */
  #withLineFeeds(chunkText: string): string {
    const text = this.#pendingReturn ? `\r${chunkText}` : chunkText;
    this.#pendingReturn = text.endsWith('\r');
    if (!text.includes('\r')) return text;
    return (this.#pendingReturn ? text.slice(0, -1) : text).replace(/\r\n?/g, '\n');
  }

  #read(text: string): void {
    if (this.#isTooLong) return;
    let start = 0;
    if (this.#endsLine && text.startsWith('\n')) {
      this.#carried = this.#carried.slice(0, -1);
      this.#complete();
      start = 1;
    }
    let end = text.indexOf('\n\n', start);
    while (end >= 0 && !this.#isTooLong) {
      this.#carried += text.slice(start, end);
      this.#complete();
      start = end + 2;
      end = text.indexOf('\n\n', start);
    }
    if (!this.#isTooLong && start < text.length) this.#carry(text.slice(start));
  }

  #carry(text: string): void {
    this.#carried += text;
    this.#endsLine = text.endsWith('\n');
    // A line end at its end may be half of what ends the event.
    if (this.#carried.length > this.#eventBytesMax + 1) this.#fail();
  }

  #complete(): void {
    const event = this.#carried;
    this.#carried = '';
    this.#endsLine = false;
    if (event.length > this.#eventBytesMax) {
      this.#fail();
      return;
    }
    const data = dataOf(event);
    if (data !== undefined) this.#found.push(Buffer.from(data, 'latin1'));
  }

  #fail(): void {
    this.#isTooLong = true;
    this.#carried = '';
    this.#endsLine = false;
  }
}
