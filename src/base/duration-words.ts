// A length of time as a person reads it, in its largest fitting unit: `38 s`, `4 m`, `7 h`, `3 d`.

/** `ms` is 0 or more; each unit is kept up to twice the next one, so that steps stay small. */
export function elapsedWords(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}
