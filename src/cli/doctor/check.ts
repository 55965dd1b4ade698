// One thing that `doctor` looked at: what it saw, and what to do when that is not well.

export type Check = {
  readonly name: string;
  readonly state: 'ok' | 'attention' | 'bad';
  /** One sentence: what was met. */
  readonly words: string;
  /** What to do; null when nothing needs doing. */
  readonly remedy: string | null;
};

export function well(name: string, words: string): Check {
  return { name, state: 'ok', words, remedy: null };
}

export function attention(name: string, words: string, remedy: string): Check {
  return { name, state: 'attention', words, remedy };
}

export function bad(name: string, words: string, remedy: string): Check {
  return { name, state: 'bad', words, remedy };
}

export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
