// The log: pino, on stderr, through one last filter that masks everything shaped like a credential.
// `pretty` is for a person at a terminal, `json` for machines; both escape control characters.

import { type Logger, pino } from 'pino';
import { redactText } from '../../base/secret.ts';

export type { Logger } from 'pino';

export type LogOptions = {
  readonly level: string;
  readonly format: 'pretty' | 'json';
  readonly write?: (text: string) => void;
};

const levelNames: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** `12:04:31 warn  message  member=value`. */
export function prettyLine(line: string): string {
  let entry: unknown;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  if (!isRecord(entry)) return line;
  const { level, time, msg, pid: _pid, hostname: _hostname, ...rest } = entry;
  const clock = typeof time === 'number' ? new Date(time).toISOString().slice(11, 19) : '';
  const members = Object.entries(rest).map(([name, value]) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return `${name}=${text}`;
  });
  const name = (levelNames[Number(level)] ?? '').padEnd(5);
  const text = [clock, name, String(msg ?? ''), ...members].join(' ');
  // Escapes and bidirectional marks in a logged text must not reach a terminal.
  return `${text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '?')}\n`;
}

export function createLogger(options: LogOptions): Logger {
  const write = options.write ?? ((text: string) => void process.stderr.write(text));
  const destination = {
    write(line: string): void {
      write(redactText(options.format === 'json' ? line : prettyLine(line)));
    },
  };
  return pino({ level: options.level, base: null }, destination);
}
