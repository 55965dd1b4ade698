// Which backends do not speak OpenAI's chat interface, and what stands between.

import type { BackendType } from '../../base/backend-type.ts';
import { anthropic } from './anthropic.ts';
import { google } from './google.ts';
import type { Translation } from './translation.ts';

/** Undefined where the bytes of the client go to the backend as they are. */
export function translationOf(type: BackendType): Translation | undefined {
  if (type === 'anthropic') return anthropic;
  return type === 'google' ? google : undefined;
}
