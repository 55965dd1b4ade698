// What is asked before an operation on a model begins, each refused with its numbers. The order of the
// checks is their callers'.

import type { Backend } from '../../core/backends/backend.ts';
import { canOperate } from '../../core/backends/lifecycle.ts';
import type { OperationType } from '../../core/backends/operation.ts';
import { checkVram } from '../../core/backends/vram-check.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { LifecyclePorts } from './lifecycle-ports.ts';
import type { EngineState } from './model-control/engine-control.ts';

export type ShownState = Extract<EngineState, { kind: 'shown' }>;

/** Throws `not_implemented` for the type of engine, `bad_state` for what nobody approved. */
export function requireAbility(backend: Backend, operationType: OperationType): void {
  if (!canOperate(backend.backendType, operationType)) {
    const words = `${backend.id} is of type ${backend.backendType}, which cannot be told to ${operationType} a model.`;
    throw new TensorForgeError('not_implemented', words);
  }
  if (backend.approved) return;
  const words = `${backend.id} waits for approval: tensorforge backends approve ${backend.id}`;
  throw new TensorForgeError('bad_state', words);
}

/** What the engine shows; throws `not_implemented` for this server, `bad_gateway` when it is away. */
export async function requireLook(
  { control }: Pick<LifecyclePorts, 'control'>,
  backend: Backend,
  signal: AbortSignal,
): Promise<ShownState> {
  const state = await control.look(backend, signal);
  if (state.kind === 'shown') return state;
  const code = state.kind === 'unsupported' ? 'not_implemented' : 'bad_gateway';
  throw new TensorForgeError(code, `${backend.id}: ${state.words}.`);
}

/** Throws `insufficient_memory`; what is in memory already needs no more of it. */
export function requireMemory(
  { rules }: Pick<LifecyclePorts, 'rules'>,
  backend: Backend,
  modelId: string,
  state: ShownState,
): void {
  if (state.loaded.has(modelId)) return;
  const verdict = checkVram(state.memory, rules);
  if (verdict.ok) return;
  throw new TensorForgeError('insufficient_memory', `${backend.id}: ${verdict.error.message}.`);
}

/** Throws `model_not_found` for what would have to be downloaded. */
export function requireWeights(backend: Backend, modelId: string, state: ShownState): void {
  if (state.known.has(modelId)) return;
  const words = `${backend.id} does not have ${modelId}. Load it there with a download first: "download": true.`;
  throw new TensorForgeError('model_not_found', words, { param: 'model_id' });
}

/** Throws `backend_busy` while requests run. */
export async function requireIdle(
  { inFlight }: Pick<LifecyclePorts, 'inFlight'>,
  backend: Backend,
  modelId: string,
): Promise<void> {
  const count = await inFlight(backend.id, modelId);
  if (count === 0) return;
  const words = `${backend.id} works on ${count} requests. Wait for them: drain=true.`;
  throw new TensorForgeError('backend_busy', words);
}
