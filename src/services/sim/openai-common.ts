// What the handlers of the OpenAI protocol share: the checks that every generation request goes
// through, and frames of an event stream.

import { err, ok, type Result } from '../../base/result.ts';
import { faceFacts } from './face-facts.ts';
import { type JsonObject, textMember } from './json-body.ts';
import { badRequest, type SimRefusal, unknownModel } from './refusals.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

export const eventStream = 'text/event-stream; charset=utf-8';

export function post(path: string, handle: Route['handle']): Route {
  return { method: 'POST', path, inference: true, open: false, handle };
}

/** The name under which a requested model is served; Ollama adds `:latest`. */
export function servedModel(simulation: Simulation, model: string): string | undefined {
  const { as } = simulation.options;
  const { names } = simulation.models;
  if (names.includes(model)) return offered(simulation, model);
  if (as === 'ollama') return names.find((name) => name === `${model}:latest`);
  // In router mode a llama-server goes by the name.
  const takesAny = faceFacts[as].takesAnyName && !hasQuirk(simulation, 'llamacpp-router');
  return takesAny ? names[0] : undefined;
}

/** A catalogue lists models that nobody can be asked for. */
function offered(simulation: Simulation, model: string): string | undefined {
  const isCatalogue = hasQuirk(simulation, 'exo-catalogue');
  return isCatalogue && model !== simulation.models.names[0] ? undefined : model;
}

/** Checks what all generation requests have in common. */
export function commonOf(
  simulation: Simulation,
  body: JsonObject,
  maxTokensNames: readonly string[],
): Result<{ model: string; asked: string; maxTokens: number | undefined }, SimRefusal> {
  const asked = textMember(body, 'model');
  if (asked === undefined) return err(badRequest('model must be a text', 'model'));
  const model = servedModel(simulation, asked);
  if (model === undefined) return err(unknownModel(simulation.options.as, asked));
  if (body['n'] !== undefined && body['n'] !== null && body['n'] !== 1) {
    return err(badRequest('n must be 1: the simulated server gives one choice', 'n'));
  }
  for (const name of maxTokensNames) {
    const value = body[name];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < 1) {
      return err(badRequest(`${name} must be a whole number from 1`, name));
    }
    return ok({ model, asked, maxTokens: value });
  }
  return ok({ model, asked, maxTokens: undefined });
}

export function sse(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

export function secondsOf(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}
