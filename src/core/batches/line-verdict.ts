// What becomes of one line of a batch after it was asked: is its answer final, and is that a result or
// an error, or is it asked again?
//
// A refusal that means "not now" costs no attempt: nothing was done, and the window of the batch ends
// it. A failure that may have cost a backend its work is tried three times.

export type LineAnswer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** False where the gateway said `x-should-retry: false`. */
      readonly mayRetry: boolean;
    }
  /** The gateway thread was gone, or the connection broke off. */
  | { readonly kind: 'broken' };

export type LineVerdict =
  /** To the output file. */
  | 'result'
  /** To the error file, with what was answered. */
  | 'error'
  /** The key admits nothing any more: this line and all that are left end so. */
  | 'key_revoked'
  /** Nobody had room: again, and fewer at once. */
  | 'turned_away'
  /** A limit of the key was reached: again, when the key may. */
  | 'limited'
  /** Again, as one of its attempts. */
  | 'failed';

/** Attempts of a line that fail before its error is final. */
export const attemptsMax = 3;

/** `attempts`: how often the line was asked, this one among them. */
export function judgeLine(answer: LineAnswer, attempts: number): LineVerdict {
  if (answer.kind === 'broken') return 'failed';
  const { status, mayRetry } = answer;
  if (status >= 200 && status < 300) return 'result';
  if (status === 401) return 'key_revoked';
  if (!mayRetry) return 'error';
  if (status === 429) return 'limited';
  if (status === 503) return 'turned_away';
  const isPassing = status === 408 || status >= 500;
  return isPassing && attempts < attemptsMax ? 'failed' : 'error';
}
