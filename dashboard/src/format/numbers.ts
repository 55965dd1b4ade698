// Numbers as a person reads them: three significant digits, the unit after a thin space, thousands
// parted by thin spaces, and the same text in every locale (ux 3.2). No data is a dash, never 0.

/** U+202F: thin, and it keeps a number and its unit on one line. */
export const thinSpace = '\u202f';
export const noData = '–';

function grouped(digits: string): string {
  return digits.replace(/\B(?=(\d{3})+(?!\d))/g, thinSpace);
}

/** A whole count with all its digits: `412 880`. */
export function formatCount(value: number): string {
  if (!Number.isFinite(value)) return noData;
  const sign = value < 0 ? '−' : '';
  return sign + grouped(Math.abs(Math.round(value)).toFixed(0));
}

/** Three significant digits without an exponent: `0.04`, `4.1`, `412`, `12 300`. */
export function formatSignificant(value: number): string {
  if (!Number.isFinite(value)) return noData;
  if (value === 0) return '0';
  const size = Math.abs(value);
  const sign = value < 0 ? '−' : '';
  if (size >= 999.5) return sign + grouped(Number(size.toPrecision(3)).toFixed(0));
  const decimals = Math.min(6, Math.max(0, 2 - Math.floor(Math.log10(size))));
  const text = size.toFixed(decimals);
  return sign + (text.includes('.') ? text.replace(/\.?0+$/, '') : text);
}

/** Requests per second: one decimal below ten, because 0.2 and 0.4 are not the same. */
export function formatRate(perSecond: number): string {
  return formatSignificant(perSecond);
}

/** `0.12 %`; a dash when nothing was counted. */
export function formatShare(part: number, whole: number): string {
  if (whole <= 0) return noData;
  return `${formatSignificant((100 * part) / whole)}${thinSpace}%`;
}

/** Memory in GiB (2^30 bytes): `0.62 GiB`, `4.7 GiB`, `38.4 GiB`; a dash where it is not told. */
export function formatGib(bytes: number | null): string {
  if (bytes === null || !Number.isFinite(bytes)) return noData;
  return `${formatSignificant(bytes / 2 ** 30)}${thinSpace}GiB`;
}

/** `2 models`, `1 model`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** An id in the middle of which characters are left out, so that both ends stay readable. */
export function ellipsed(id: string, lengthMax: number): string {
  const points = [...id];
  if (points.length <= lengthMax) return id;
  const tail = Math.floor((lengthMax - 1) / 2);
  const head = lengthMax - 1 - tail;
  return `${points.slice(0, head).join('')}…${points.slice(points.length - tail).join('')}`;
}
