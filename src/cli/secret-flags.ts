// A secret is never the value of a flag: other users of the machine can read the arguments of a
// process. Such a flag is refused before anything else looks at the arguments (security case 307).

const secretFlags = [
  '--password',
  '--api-key',
  '--admin-key',
  '--key',
  '--token',
  '--secret',
  '--database-url',
] as const;

/** The first flag that would carry a secret, without its value; arguments after `--` are data. */
export function secretFlagIn(args: readonly string[]): string | undefined {
  for (const arg of args) {
    if (arg === '--') return undefined;
    const name = arg.split('=', 1)[0];
    const found = secretFlags.find((flag) => flag === name);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where that secret goes instead. */
export function remedyOfSecretFlag(flag: string): string {
  if (flag === '--database-url') return 'set DATABASE_URL';
  if (flag === '--api-key')
    return 'set TENSORFORGE_API_KEY; for tensorforge sim: --api-key-file FILE';
  return 'set TENSORFORGE_API_KEY, which is the one secret that commands take';
}
