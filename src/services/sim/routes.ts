// Which routes each face has.

import { anthropicRoutes } from './anthropic-routes.ts';
import { sglangRoutes, tgiRoutes, vllmRoutes } from './engine-routes.ts';
import { exoRoutes } from './exo-routes.ts';
import { googleRoutes } from './google-routes.ts';
import { llamacppRouterRoutes, llamacppRoutes } from './llamacpp-routes.ts';
import { lmstudioRoutes } from './lmstudio-routes.ts';
import { ollamaModelRoutes } from './ollama-models.ts';
import { ollamaRoutes } from './ollama-routes.ts';
import { openaiRoutes } from './openai-routes.ts';
import { hasQuirk, type Route, type Simulation } from './simulation.ts';

export function routesOf(simulation: Simulation): readonly Route[] {
  switch (simulation.options.as) {
    case 'anthropic':
      return anthropicRoutes(simulation);
    case 'google':
      return googleRoutes(simulation);
    default:
      return [...openaiRoutes(simulation), ...ownRoutes(simulation)];
  }
}

/** What a face has beside the OpenAI protocol. */
function ownRoutes(simulation: Simulation): readonly Route[] {
  switch (simulation.options.as) {
    case 'ollama':
      return [...ollamaModelRoutes(simulation), ...ollamaRoutes(simulation)];
    case 'vllm':
      return vllmRoutes(simulation);
    case 'llamacpp':
      return hasQuirk(simulation, 'llamacpp-router')
        ? llamacppRouterRoutes(simulation)
        : llamacppRoutes(simulation);
    case 'lmstudio':
      return lmstudioRoutes(simulation);
    case 'exo':
      return exoRoutes(simulation);
    case 'sglang':
      return sglangRoutes(simulation);
    case 'tgi':
      return tgiRoutes(simulation);
    default:
      return [];
  }
}
