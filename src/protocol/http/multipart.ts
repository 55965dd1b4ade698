// A strict reader of multipart/form-data (RFC 7578) that never holds more than one chunk and one part
// head: pieces of the body go in, what they contain comes out. It knows no files and no streams.
//
//   --boundary CR LF   head lines CR LF   CR LF   data   CR LF --boundary ( CR LF | -- [CR LF] )
//
// M1  the same body gives the same parts and data, however it is cut into chunks.
// M2  held bytes are bounded: a part head by partHeadBytesMax, else less than one delimiter.
// M3  after a fault, or after the last delimiter, nothing more comes out.
//
// No preamble, no epilogue, no folded head lines, no transfer encoding: no client sends them, and each
// is a second way to read one body.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { ContentFacts } from './content-check.ts';

export type MultipartFault = Fault<'malformed_multipart'>;

export type PartHead = {
  /** The name of the field. */
  readonly name: string;
  /** Set where the part is a file. */
  readonly filename: string | undefined;
};

export type MultipartEvent =
  | { readonly kind: 'part'; readonly head: PartHead }
  | { readonly kind: 'data'; readonly bytes: Buffer }
  | { readonly kind: 'part_end' }
  /** The last delimiter was met. */
  | { readonly kind: 'end' };

const partHeadBytesMax = 8192;
const partsMax = 32;
const epilogueWords = 'something follows its last delimiter';
const boundaryPattern =
  /^multipart\/form-data *; *boundary=(?:"([0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?])"|([0-9A-Za-z'+_\-.]{1,70}))$/i;

/** The boundary that a content type names; undefined when it is no form or names none. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const found = boundaryPattern.exec(contentType ?? '');
  return found?.[1] ?? found?.[2];
}

/** The boundary of a body that is one form and not packed; else the refusal. */
export function checkFormContent(facts: ContentFacts): Result<string, Refusal> {
  const { contentType, contentTypeCount, contentEncoding } = facts;
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') {
    const words = 'Forms are not decompressed here. Send it as it is, without a content-encoding.';
    return err(refusal('unsupported_content_encoding', words));
  }
  const boundary = contentTypeCount === 1 ? boundaryOf(contentType) : undefined;
  if (boundary !== undefined) return ok(boundary);
  const words = 'Send one content-type, multipart/form-data with a boundary of 1 to 70 characters.';
  return err(refusal('unsupported_media_type', words));
}

function malformed(words: string): { readonly ok: false; readonly error: MultipartFault } {
  return err(fault('malformed_multipart', `The form is malformed: ${words}.`));
}

/** `name="value"` with the escapes that clients use: `%22`, `%0D` and `%0A`, or a backslash. */
function quotedParameter(text: string, name: string): string | undefined {
  const found = new RegExp(`; *${name}="((?:[^"\\\\]|\\\\.)*)"`, 'i').exec(text);
  return found?.[1]
    ?.replace(/\\(.)/g, '$1')
    .replace(/%(22|0D|0A)/gi, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

function partHeadOf(lines: readonly string[]): Result<PartHead, MultipartFault> {
  if (lines.some((line) => /^[ \t]/.test(line) || !line.includes(':'))) {
    return malformed('a line in the head of a part is no header');
  }
  const values = (name: string): readonly string[] =>
    lines.filter((line) => line.slice(0, line.indexOf(':')).trim().toLowerCase() === name);
  if (values('content-transfer-encoding').some((line) => !/: *(binary|8bit|7bit) *$/i.test(line))) {
    return malformed('a part has a transfer encoding');
  }
  const [disposition, second] = values('content-disposition');
  if (disposition === undefined || second !== undefined) {
    return malformed('a part has not one Content-Disposition');
  }
  const name = quotedParameter(disposition, 'name');
  if (!/: *form-data *;/i.test(disposition) || name === undefined || name === '') {
    return malformed('a part names no field');
  }
  return ok({ name, filename: quotedParameter(disposition, 'filename') });
}

type State = 'start' | 'head' | 'data' | 'delimiter' | 'done' | 'failed';

export class MultipartReader {
  readonly #delimiter: Buffer;
  /** What came and could not be read yet. The first delimiter follows an end of line of the head. */
  #held: Buffer = Buffer.from('\r\n');
  #state: State = 'start';
  #parts = 0;

  constructor(boundary: string) {
    this.#delimiter = Buffer.from(`\r\n--${boundary}`, 'latin1');
  }

  /** What these bytes complete, in order. Data shares memory with `chunk`. */
  push(chunk: Buffer): Result<readonly MultipartEvent[], MultipartFault> {
    if (this.#state === 'failed') return malformed('it was refused before');
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const events: MultipartEvent[] = [];
    for (;;) {
      const step = this.#step(events);
      if (!step.ok) {
        this.#state = 'failed';
        return step;
      }
      if (!step.value) return ok(events);
    }
  }

  /** The body is over. */
  end(): Result<void, MultipartFault> {
    if (this.#state !== 'done') return malformed('it ends before its last delimiter');
    return this.#held.length === 0 ? ok(undefined) : malformed(epilogueWords);
  }

  /** Reads one thing; false when it takes more bytes. */
  #step(events: MultipartEvent[]): Result<boolean, MultipartFault> {
    switch (this.#state) {
      case 'start':
        return this.#readStart();
      case 'delimiter':
        return this.#readDelimiterEnd(events);
      case 'head':
        return this.#readHead(events);
      case 'data':
        return ok(this.#readData(events));
      case 'done':
        return this.#readEpilogue();
      case 'failed':
        return malformed('it was refused before');
    }
  }

  #readStart(): Result<boolean, MultipartFault> {
    const { length } = this.#delimiter;
    const begun = Math.min(length, this.#held.length);
    if (this.#held.compare(this.#delimiter, 0, begun, 0, begun) !== 0) {
      return malformed('it does not begin with the boundary of its content type');
    }
    if (this.#held.length < length) return ok(false);
    this.#take(length);
    this.#state = 'delimiter';
    return ok(true);
  }

  #readDelimiterEnd(events: MultipartEvent[]): Result<boolean, MultipartFault> {
    if (this.#held.length < 2) return ok(false);
    const end = this.#take(2).toString('latin1');
    if (end === '--') {
      this.#state = 'done';
      events.push({ kind: 'end' });
      return ok(true);
    }
    if (end !== '\r\n') return malformed('a delimiter is not followed by an end of line');
    this.#parts++;
    if (this.#parts > partsMax) return malformed(`it has more than ${partsMax} parts`);
    this.#state = 'head';
    return ok(true);
  }

  #readHead(events: MultipartEvent[]): Result<boolean, MultipartFault> {
    const end = this.#held.indexOf('\r\n\r\n');
    if (end < 0 && this.#held.length <= partHeadBytesMax) return ok(false);
    if (end < 0 || end > partHeadBytesMax) {
      return malformed(`the head of a part is longer than ${partHeadBytesMax} bytes`);
    }
    const head = partHeadOf(
      this.#take(end + 4)
        .toString('utf8', 0, end)
        .split('\r\n'),
    );
    if (!head.ok) return head;
    this.#state = 'data';
    events.push({ kind: 'part', head: head.value });
    return ok(true);
  }

  #readData(events: MultipartEvent[]): boolean {
    const at = this.#held.indexOf(this.#delimiter);
    if (at >= 0) {
      if (at > 0) events.push({ kind: 'data', bytes: this.#take(at) });
      this.#take(this.#delimiter.length);
      events.push({ kind: 'part_end' });
      this.#state = 'delimiter';
      return true;
    }
    // The last bytes may be the beginning of a delimiter.
    const sure = this.#held.length - this.#delimiter.length + 1;
    if (sure > 0) events.push({ kind: 'data', bytes: this.#take(sure) });
    return false;
  }

  #readEpilogue(): Result<boolean, MultipartFault> {
    const rest = this.#held.toString('latin1');
    if (rest === '' || rest === '\r') return ok(false);
    if (rest !== '\r\n') return malformed(epilogueWords);
    this.#take(2);
    return ok(false);
  }

  #take(length: number): Buffer {
    const taken = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return taken;
  }
}
