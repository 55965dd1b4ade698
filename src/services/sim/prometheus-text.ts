// The Prometheus text format, as far as simulated servers write it.

export const prometheusText = 'text/plain; version=0.0.4; charset=utf-8';

export type MetricKind = 'gauge' | 'counter';

/** One series with its help; `labels` without braces, empty for none. */
export function series(
  kind: MetricKind,
  name: string,
  help: string,
  labels: string,
  value: number,
): string {
  const braces = labels === '' ? '' : `{${labels}}`;
  return `# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n${name}${braces} ${value}\n`;
}

export function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

export class Histogram {
  readonly #bounds: readonly number[];
  readonly #counts: number[];
  #sum = 0;
  #count = 0;

  /** Upper bounds in seconds, ascending. */
  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  observe(seconds: number): void {
    this.#sum += seconds;
    this.#count++;
    const index = this.#bounds.findIndex((bound) => seconds <= bound);
    if (index >= 0) this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  lines(name: string, help: string, labels: string): string {
    const braces = labels === '' ? '' : `{${labels}}`;
    const comma = labels === '' ? '' : ',';
    let below = 0;
    let text = `# HELP ${name} ${help}\n# TYPE ${name} histogram\n`;
    this.#bounds.forEach((bound, index) => {
      below += this.#counts[index] ?? 0;
      text += `${name}_bucket{${labels}${comma}le="${bound}"} ${below}\n`;
    });
    text += `${name}_bucket{${labels}${comma}le="+Inf"} ${this.#count}\n`;
    return `${text}${name}_sum${braces} ${this.#sum}\n${name}_count${braces} ${this.#count}\n`;
  }
}
