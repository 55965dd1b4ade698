// How fast do the backends of a model become free? From readings of a count that only grows: the
// requests that they have ended. A window of the last half minute, in steps, so that memory is
// constant and a model that has become slow is seen as slow.

const stepMs = 500;
const windowMs = 30_000;
/** Below this a rate says little. */
const leastMs = 1000;

type Sample = { readonly atMs: number; readonly total: number };

export class ServiceRate {
  readonly #samples: Sample[] = [];

  /** `total` at `nowMs`. A total that falls (a backend was removed) starts the window anew. */
  observe(total: number, nowMs: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && total < last.total) this.#samples.length = 0;
    else if (last !== undefined && nowMs - last.atMs < stepMs) return;
    this.#samples.push({ atMs: nowMs, total });
    while ((this.#samples[1]?.atMs ?? nowMs) < nowMs - windowMs) this.#samples.shift();
  }

  /** Per second until `total` at `nowMs`; undefined while less than a second was seen. */
  perSecond(total: number, nowMs: number): number | undefined {
    const first = this.#samples[0];
    if (first === undefined || nowMs - first.atMs < leastMs || total < first.total)
      return undefined;
    return ((total - first.total) * 1000) / (nowMs - first.atMs);
  }
}
