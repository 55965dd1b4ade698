// Which environment variable may hold the credential of which backend (ruling R6). Without this
// rule, whoever may add a backend could have any variable posted to a host of their choice.

import { err, ok, type Result } from '../../base/result.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';
import type { DiscoverySource } from './backend.ts';

export const backendKeyPrefix = 'TENSORFORGE_BACKEND_KEY_';

/** The providers' own variable names, each with the one host that may receive its value. */
const providerHosts: ReadonlyMap<string, string> = new Map([
  ['OPENAI_API_KEY', 'api.openai.com'],
  ['ANTHROPIC_API_KEY', 'api.anthropic.com'],
  ['GOOGLE_API_KEY', 'generativelanguage.googleapis.com'],
  ['GEMINI_API_KEY', 'generativelanguage.googleapis.com'],
  ['GROQ_API_KEY', 'api.groq.com'],
  ['MISTRAL_API_KEY', 'api.mistral.ai'],
  ['DEEPSEEK_API_KEY', 'api.deepseek.com'],
  ['TOGETHER_API_KEY', 'api.together.xyz'],
  ['OPENROUTER_API_KEY', 'openrouter.ai'],
]);

function refuse(words: string): Result<string, Refusal> {
  return err(refusal('invalid_request', words, { param: 'api_key_env' }));
}

/**
 * The name of the variable when a backend at `url` (canonical) may use it. The static file belongs
 * to whoever runs the process and may bind a provider's variable to another host.
 */
export function permittedKeyEnv(
  keyEnv: string,
  url: string,
  source: DiscoverySource,
): Result<string, Refusal> {
  if (keyEnv.startsWith(backendKeyPrefix)) {
    const isName = /^[A-Z0-9_]{1,64}$/.test(keyEnv.slice(backendKeyPrefix.length));
    return isName ? ok(keyEnv) : refuse('api_key_env is not the name of a variable.');
  }
  const host = providerHosts.get(keyEnv);
  if (host === undefined) {
    return refuse(
      `api_key_env must begin with ${backendKeyPrefix} or be the well-known name of a provider, such as OPENAI_API_KEY.`,
    );
  }
  const isProvider = url === `https://${host}` || url.startsWith(`https://${host}/`);
  if (isProvider || source === 'static') return ok(keyEnv);
  return refuse(`${keyEnv} is sent to https://${host} only; use a ${backendKeyPrefix} variable.`);
}
