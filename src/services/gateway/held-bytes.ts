// Bytes that are kept for later, in one buffer that grows by doubling: many small pieces cost no
// more memory than one large one, however a backend cuts its answer.

const none = Buffer.alloc(0);

export class HeldBytes {
  #buffer: Buffer = none;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Copies `chunk`, whose memory may be used again. */
  push(chunk: Buffer): void {
    const needed = this.#length + chunk.length;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
      this.#buffer.copy(grown, 0, 0, this.#length);
      this.#buffer = grown;
    }
    chunk.copy(this.#buffer, this.#length);
    this.#length = needed;
  }

  /** Gives what was held and holds nothing any more. */
  take(): Buffer {
    const bytes = this.#buffer.subarray(0, this.#length);
    this.#buffer = none;
    this.#length = 0;
    return bytes;
  }
}
