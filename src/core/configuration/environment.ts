// Names of environments, and which overlay wins where several set one option (specification A.1).

/** Lower case; names of environments compare without regard to case. */
export function normalizeEnvName(name: string): string {
  return name.toLowerCase();
}

/** `production` or `prod`, in any case. */
export function isProduction(env: string): boolean {
  return ['production', 'prod'].includes(normalizeEnvName(env));
}

/** Orders overlays: the higher one wins. An unknown environment is 0. */
export function configPriority(env: string): number {
  switch (normalizeEnvName(env)) {
    case 'production':
    case 'prod':
      return 100;
    case 'staging':
      return 75;
    case 'development':
    case 'dev':
      return 50;
    case 'test':
      return 25;
    default:
      return 0;
  }
}
