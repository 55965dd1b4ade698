// How far it is, on stderr: one redrawn line on a terminal, a line every ten seconds elsewhere.

export type Progress = {
  /** A step of the whole: always a line of its own. */
  say(words: string): void;
  /** The state of the running step. */
  show(words: string): void;
  done(): void;
};

const redrawEveryMs = 100;
const lineEveryMs = 10_000;

export function createProgress(isSilent: boolean, nowMs: () => number): Progress {
  const out = process.stderr;
  const isTerminal = out.isTTY === true;
  let isDrawn = false;
  let shownMs = nowMs();
  const clear = (): void => {
    if (isDrawn) out.write('\r\u001b[2K');
    isDrawn = false;
  };
  return {
    say(words) {
      if (isSilent) return;
      clear();
      out.write(`${words}\n`);
    },
    show(words) {
      if (isSilent || nowMs() - shownMs < (isTerminal ? redrawEveryMs : lineEveryMs)) return;
      shownMs = nowMs();
      clear();
      const columns = out.columns ?? 80;
      out.write(isTerminal ? words.slice(0, columns - 1) : `${words}\n`);
      isDrawn = isTerminal;
    },
    done: clear,
  };
}
