// How far something is, on stderr: one line that is redrawn on a terminal, at most ten times a second;
// elsewhere a line of its own every ten seconds. Nothing with --quiet.

import type { Context } from '../context.ts';
import { cutTo, escapeControl } from './text.ts';

export type Progress = {
  /** The state now; shown when it is time. */
  show(words: string): void;
  /** Takes the redrawn line away. */
  done(): void;
};

const redrawEveryMs = 100;
const lineEveryMs = 10_000;

export function createProgress(context: Context, nowMs: () => number): Progress {
  const isDrawn = process.stderr.isTTY === true && !context.accessible;
  let shownMs = isDrawn ? Number.NEGATIVE_INFINITY : nowMs();
  let isOnScreen = false;
  const clear = (): void => {
    if (isOnScreen) process.stderr.write('\r\u001b[2K');
    isOnScreen = false;
  };
  return {
    show(words) {
      const everyMs = isDrawn ? redrawEveryMs : lineEveryMs;
      if (context.quiet || nowMs() - shownMs < everyMs) return;
      shownMs = nowMs();
      clear();
      const line = escapeControl(words);
      if (isDrawn) process.stderr.write(cutTo(line, Math.max(20, context.columns - 1)));
      else context.note(line);
      isOnScreen = isDrawn;
    },
    done: clear,
  };
}
