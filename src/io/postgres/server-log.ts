// The embedded server's log: one file and its predecessor, each of bounded size, and the last lines
// kept in memory so that a failed start can say why.

import { appendFileSync, renameSync, statSync } from 'node:fs';
import { redactText } from '../../base/secret.ts';

const bytesMax = 1_048_576;
const lastLinesMax = 20;

export class ServerLog {
  readonly #path: string;
  #bytes: number;
  #lastLines: readonly string[] = [];

  constructor(path: string) {
    this.#path = path;
    this.#bytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  }

  write(text: string): void {
    const clean = redactText(text);
    const lines = clean.split('\n').filter((line) => line !== '');
    this.#lastLines = [...this.#lastLines, ...lines].slice(-lastLinesMax);
    try {
      if (this.#bytes > bytesMax) {
        renameSync(this.#path, `${this.#path}.1`);
        this.#bytes = 0;
      }
      appendFileSync(this.#path, clean, { mode: 0o600 });
      this.#bytes += Buffer.byteLength(clean);
    } catch {
      // A full disk must not end the control plane for the sake of a log; the tail is still kept.
    }
  }

  /** The last lines that tell of a failure, else the very last ones. */
  get tail(): string {
    const telling = this.#lastLines.filter((line) => /FATAL|PANIC|ERROR|HINT|unshare/.test(line));
    return (telling.length > 0 ? telling : this.#lastLines).slice(-4).join(' | ');
  }
}
