// Ctrl-C, SIGTERM and a closed terminal end the demo, and it cleans up behind itself. Asked again, it
// does so at once.

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type Signal = (typeof signals)[number];

/** What ended a wait: not a failure. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly signal: Signal;

  constructor(signal: Signal) {
    super(`stopped by ${signal}`);
    this.signal = signal;
  }

  /** As a shell has it: 128 and the number of the signal. */
  get exitCode(): number {
    return { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 }[this.signal];
  }
}

export type Interruption = {
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly happened: Promise<Interrupted>;
  ignore(): void;
};

/** A terminal and a wrapper may both pass on one Ctrl-C; that close together it is one, ms. */
const samePressMs = 300;

export function listenForInterruption(onSecond: () => void): Interruption {
  const controller = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Interrupted>();
  let firstMs: number | undefined;
  const hear = (name: Signal): void => {
    if (firstMs === undefined) {
      firstMs = performance.now();
      const interrupted = new Interrupted(name);
      controller.abort(interrupted);
      resolve(interrupted);
    } else if (performance.now() - firstMs > samePressMs) {
      onSecond();
    }
  };
  for (const name of signals) process.on(name, hear);
  return {
    signal: controller.signal,
    happened: promise,
    ignore() {
      for (const name of signals) process.off(name, hear);
    },
  };
}
