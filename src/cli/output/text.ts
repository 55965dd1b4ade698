// Text for a terminal: nothing that came from outside may steer it, and a figure has its unit.

/** C0 but tab, DEL, C1, bidirectional marks and overrides, line separators, soft and zero widths. */
const steering =
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** One line: control and direction characters are shown escaped instead of obeyed. */
export function escapeControl(text: string): string {
  return text.replace(steering, (character) => {
    const point = character.codePointAt(0) ?? 0;
    return `\\u${point.toString(16).padStart(4, '0')}`;
  });
}

/** `214 ms`, `3.1 s`; `-` when it was never measured. */
export function shownMs(ms: number | null): string {
  if (ms === null) return '-';
  if (ms < 10) return `${Number(ms.toFixed(2))} ms`;
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** `42 s`, `4 m`, `3 h 5 m`, `3 d`: the two largest units are enough to know. */
export function shownSpan(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} m`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} m`;
  return `${Math.floor(hours / 24)} d`;
}

/** Time since an RFC 3339 instant, from `nowMs`; `-` when it cannot be read. */
export function shownSince(at: string | null, nowMs: number): string {
  const then = at === null ? Number.NaN : Date.parse(at);
  return Number.isNaN(then) ? '-' : shownSpan((nowMs - then) / 1000);
}

/** `2.1 GB`, decimal. */
export function shownBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `1 model`, `5 models`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** The text, or its beginning and `…` where it has more than `size` characters. */
export function cutTo(text: string, size: number): string {
  const characters = [...text];
  if (characters.length <= size) return text;
  return `${characters.slice(0, Math.max(0, size - 1)).join('')}…`;
}
