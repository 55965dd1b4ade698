// Durations and instants as a person reads them. Durations choose their unit; lists show how long
// ago, records show the instant. Clock times are in the zone of the browser unless told otherwise.

import { formatSignificant, noData, thinSpace } from './numbers.ts';

const secondMs = 1000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

function unit(value: number | string, name: string): string {
  return `${value}${thinSpace}${name}`;
}

/** A measured latency: `0.42 ms`, `213 ms`, `1.2 s`, `4 m 10 s`. */
export function formatLatency(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return noData;
  if (ms < 999.5) return unit(formatSignificant(ms), 'ms');
  if (ms < minuteMs) return unit((ms / secondMs).toFixed(1), 's');
  return formatSpan(ms);
}

/** How long something has lasted, coarse: `8 s`, `4 m 10 s`, `2 h 5 m`, `3 d`. */
export function formatSpan(ms: number): string {
  if (!Number.isFinite(ms)) return noData;
  const seconds = Math.max(0, Math.floor(ms / secondMs));
  if (seconds < 60) return unit(seconds, 's');
  if (ms < hourMs) {
    const rest = seconds % 60;
    const minutes = unit(Math.floor(seconds / 60), 'm');
    return rest === 0 || seconds >= 600 ? minutes : `${minutes} ${unit(rest, 's')}`;
  }
  if (ms < dayMs) {
    const minutes = Math.floor(seconds / 60) % 60;
    const hours = unit(Math.floor(seconds / 3600), 'h');
    return minutes === 0 ? hours : `${hours} ${unit(minutes, 'm')}`;
  }
  return unit(Math.floor(ms / dayMs), 'd');
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** `12:04:31`, 24 h. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return noData;
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** `12 Nov 2026 12:04:31`: unambiguous, for records and for focus. */
export function formatInstant(atMs: number): string {
  const date = new Date(atMs);
  if (Number.isNaN(date.getTime())) return noData;
  const day = `${date.getDate()} ${months[date.getMonth()] ?? ''} ${date.getFullYear()}`;
  return `${day} ${formatClock(atMs)}`;
}

/** The clock today, the date before: what a list shows for an instant. */
export function formatListTime(atMs: number, nowMs: number): string {
  if (!Number.isFinite(atMs)) return noData;
  if (new Date(atMs).toDateString() === new Date(nowMs).toDateString()) return formatClock(atMs);
  return formatInstant(atMs);
}

/** `4 m` since `at`, or a dash; a clock that runs ahead of ours reads as 0 s. */
export function formatSince(at: string, nowMs: number): string {
  const atMs = Date.parse(at);
  return Number.isNaN(atMs) ? noData : formatSpan(nowMs - atMs);
}

/** `Used 4 m ago`-style ages under a day, the date beyond it. */
export function formatAgo(at: string | null, nowMs: number): string {
  if (at === null) return 'never';
  const atMs = Date.parse(at);
  if (Number.isNaN(atMs)) return noData;
  return nowMs - atMs < dayMs ? `${formatSpan(nowMs - atMs)} ago` : formatInstant(atMs);
}
