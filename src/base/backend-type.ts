// The kinds of model server that have an adapter: one list for configuration, wire and registry.

export const backendTypes = [
  'ollama',
  'vllm',
  'llamacpp',
  'exo',
  'openai',
  'generic',
  'lmstudio',
  'anthropic',
  'google',
] as const;
export type BackendType = (typeof backendTypes)[number];

const cloudTypes: ReadonlySet<BackendType> = new Set(['openai', 'anthropic', 'google']);

export function isCloudType(type: BackendType): boolean {
  return cloudTypes.has(type);
}
