// Names: how the path of an option becomes a flag and an environment variable, and which variables
// of our prefix are no configuration at all.
//
// Invariant: no option ever reads a variable of the reserved list. Those are set by TensorForge for
// the tasks and hooks that it runs; a control plane started from inside a task must not pick them up.

const prefix = 'TENSORFORGE_';

/** `requestTimeoutSeconds` -> `request_timeout_seconds`. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `server.request_timeout_seconds` -> `TENSORFORGE_SERVER_REQUEST_TIMEOUT_SECONDS`. */
export function variableOfPath(path: string): string {
  return `${prefix}${path.replaceAll('.', '_').toUpperCase()}`;
}

/** `server.request_timeout_seconds` -> `--server-request-timeout-seconds`. */
export function flagOfPath(path: string): string {
  return `--${path.replaceAll('.', '-').replaceAll('_', '-')}`;
}

/** Reserved for tasks and hooks, after the prefix; `*` stands for any ending. */
export const reservedVariables = [
  'TASK_*',
  'SUITE_DIR',
  'RUN_*',
  'HOOK',
  'GROUP_NAME',
  'WORKER_COUNT',
  'WORKER_LOCAL_ID',
  'WORKER_MODE',
  'WORKER_SOCKET',
  'NODE_MANAGER_ID',
  'MANAGER_ID',
  'ENV_FILE',
  'CPU_LIST',
  'RESULT_DIR',
  'EXEC_DIR',
  'RESOURCE_DIR',
  'NEW_TASK',
  'UPSTREAM_TASK_UUID',
  'CHECKPOINT_SOCKET',
] as const;

/** Variables of our prefix that are read, but not as options of the control plane. */
const otherVariables = [
  'CONFIG',
  'DATA_DIR',
  'URL',
  'API_KEY',
  'TRACES',
  'COORDINATOR_URL',
  'ACCESSIBLE',
  'BACKEND_KEY_*',
] as const;

function matches(name: string, patterns: readonly string[]): boolean {
  if (!name.startsWith(prefix)) return false;
  const rest = name.slice(prefix.length);
  return patterns.some((pattern) =>
    pattern.endsWith('*') ? rest.startsWith(pattern.slice(0, -1)) : rest === pattern,
  );
}

export function isReservedVariable(name: string): boolean {
  return matches(name, reservedVariables);
}

/** Is this a variable of ours that no option reads, rightly? */
export function isOtherVariable(name: string): boolean {
  return matches(name, otherVariables) || isReservedVariable(name);
}

/** Credentials of cloud providers that `api_key_env` may name beside our own prefix. */
const providerKeyVariables = [
  'OPENAI_API_KEY',
  'ANTHROPIC_API_KEY',
  'GOOGLE_API_KEY',
  'GEMINI_API_KEY',
  'AZURE_OPENAI_API_KEY',
  'MISTRAL_API_KEY',
  'GROQ_API_KEY',
  'TOGETHER_API_KEY',
  'OPENROUTER_API_KEY',
  'DEEPSEEK_API_KEY',
] as const;

/**
 * May `api_key_env` name this variable? Anything else would let whoever adds a backend send an
 * arbitrary variable, such as the database URL, to a host of his choice.
 */
export function isBackendKeyVariable(name: string): boolean {
  const known: readonly string[] = providerKeyVariables;
  return /^TENSORFORGE_BACKEND_KEY_[A-Z0-9_]{1,100}$/.test(name) || known.includes(name);
}
