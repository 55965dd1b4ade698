// The pieces that the plots of a simulation are drawn from: text that is safe in HTML, numbers with
// units, and a scale that ends on round values.

/** Text as content or attribute of HTML and SVG. */
export function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** `214 ms`, `3.1 s`, `2 m 5 s`; three significant digits. */
export function shownMs(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1000) return `${Number(ms.toPrecision(3))} ms`;
  if (ms < 120_000) return `${Number((ms / 1000).toPrecision(3))} s`;
  return `${Math.floor(ms / 60_000)} m ${Math.round((ms % 60_000) / 1000)} s`;
}

/** `96.1 %` of a share from 0 to 1. */
export function shownShare(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Three significant digits. */
export function shownNumber(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString('en-US').replaceAll(',', '\u2009');
}

/** Every digit of a whole number, thousands apart. */
export function shownCount(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', '\u2009');
}

export type Scale = {
  /** Position of a value, in the units of the range. */
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
};

/** Linear from 0 to a round value at or above `largest`, with at most five steps. */
export function linearScale(largest: number, from: number, to: number): Scale {
  const step = roundStep(largest);
  const count = Math.max(1, Math.ceil(largest / step));
  const end = step * count;
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { at: (value) => from + ((to - from) * value) / end, ticks };
}

/** Logarithmic over whole decades around [least, largest]; for spreads above a decade. */
export function logScale(least: number, largest: number, from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.max(least, 0.001)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(largest, 0.001))));
  const ticks = Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
  const share = (value: number): number =>
    (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
  return { at: (value) => from + (to - from) * share(value), ticks };
}

/** 1, 2 or 5 times a power of ten, so that at most five steps reach `largest`. */
function roundStep(largest: number): number {
  const raw = Math.max(largest, 1e-9) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * (raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10);
}
