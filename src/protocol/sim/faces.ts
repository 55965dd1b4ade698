// What a simulated server can be like: its faces, and how older or differently started versions of
// the real server behave. Plain lists, so that the command line reads them without any schema.

import type { BackendType } from '../../base/backend-type.ts';

export const simFaces = [
  'ollama',
  'vllm',
  'llamacpp',
  'openai',
  'lmstudio',
  'exo',
  'anthropic',
  'google',
  'sglang',
  'tgi',
  'generic',
] as const;
export type SimFace = (typeof simFaces)[number];

/** Each begins with the face that it is for; what they mean stands in docs/sim.md. */
export const simQuirks = [
  'ollama-old-show',
  'ollama-no-ps',
  'vllm-old-metrics',
  'vllm-no-max-len',
  'llamacpp-no-slot',
  'llamacpp-loading',
  'llamacpp-no-props',
  'llamacpp-no-models-route',
  'llamacpp-no-metrics',
  'llamacpp-old-metrics',
  'llamacpp-router',
  'lmstudio-v0-only',
  'lmstudio-no-native',
  'exo-catalogue',
  'exo-no-state',
  'openai-unknown-ids',
  'anthropic-old-list',
  'sglang-no-metrics',
  'tgi-no-models-route',
] as const satisfies readonly `${SimFace}-${string}`[];
export type SimQuirk = (typeof simQuirks)[number];

/** The face that `quirk` is for. */
export function faceOfQuirk(quirk: SimQuirk): SimFace | undefined {
  return simFaces.find((face) => quirk.startsWith(`${face}-`));
}

/** As which type a server with this face is registered; those without a type of their own share one. */
export function backendTypeOfFace(face: SimFace): BackendType {
  return face === 'sglang' || face === 'tgi' ? 'generic' : face;
}
