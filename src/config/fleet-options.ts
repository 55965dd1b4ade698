// The options of the fleet: which backends there are, how they are found, checked, called and chosen.

import { z } from 'zod';
import { backendEntrySchema } from './backend-entry.ts';
import { choice, host, integer, integerList, structure, switched, textList } from './option.ts';

const mib = 1024 * 1024;

/** Ports on which the usual engines listen: Ollama, LM Studio, llama.cpp, vLLM, exo. */
const usualPorts = [11434, 1234, 8080, 8000, 52415] as const;

export const discoveryOptions = {
  enabled: switched({
    fallback: true,
    flag: '--discovery',
    variables: ['TENSORFORGE_DISCOVERY'],
    words: 'Look for engines at start.',
  }),
  hosts: textList({
    fallback: ['127.0.0.1'],
    of: 'IP addresses or host names',
    isGood: (item) => host({ fallback: '', words: '' }).schema.safeParse(item).success,
    words: 'Where to look. What is found off loopback waits for approval.',
  }),
  ports: integerList({
    fallback: usualPorts,
    of: 'ports',
    min: 1,
    max: 65535,
    words: 'Ports asked on each of the hosts.',
  }),
} as const;

export const healthCheckOptions = {
  enabled: switched({
    fallback: true,
    flag: '--health-check',
    variables: ['TENSORFORGE_HEALTH_CHECK'],
    words: 'Probe the backends.',
  }),
  intervalSeconds: integer({
    fallback: 30,
    min: 1,
    max: 3600,
    unit: 's',
    words: 'Time between two probes of one backend.',
  }),
  timeoutSeconds: integer({
    fallback: 5,
    min: 1,
    max: 300,
    unit: 's',
    words: 'Time a probe may take.',
  }),
  failureThreshold: integer({
    fallback: 3,
    min: 1,
    max: 100,
    words: 'Failed probes in a row that make a healthy backend unhealthy.',
  }),
  recoveryThreshold: integer({
    fallback: 2,
    min: 1,
    max: 100,
    words: 'Good probes in a row that make an unhealthy backend healthy.',
  }),
} as const;

export const upstreamOptions = {
  connectSeconds: integer({
    fallback: 5,
    min: 1,
    max: 300,
    unit: 's',
    words: 'Time to reach a backend (DNS, TCP, TLS); beyond it, the next backend is tried.',
  }),
  firstByteSeconds: integer({
    fallback: 120,
    min: 1,
    max: 86_400,
    unit: 's',
    words:
      'Time until the first byte of the answer, which of an answer that is no stream is its end; beyond it, the next backend is tried.',
  }),
  idleSeconds: integer({
    fallback: 60,
    min: 1,
    max: 86_400,
    unit: 's',
    words: 'Silence in the middle of an answer; beyond it, the answer ends with an error.',
  }),
  idleSockets: integer({
    fallback: 10,
    min: 0,
    max: 10_000,
    words: 'Kept connections per backend and thread.',
  }),
  headBytes: integer({
    fallback: 32 * 1024,
    min: 1024,
    max: mib,
    unit: 'bytes',
    words: 'Head of an answer.',
  }),
  interimAnswers: integer({
    fallback: 8,
    min: 0,
    max: 100,
    words: 'Answers of the 1xx family before the real one.',
  }),
  eventBytes: integer({
    fallback: mib,
    min: 1024,
    max: 64 * mib,
    unit: 'bytes',
    words: 'One event of a stream.',
  }),
  bodyBytes: integer({
    fallback: 64 * mib,
    min: 1024,
    max: 1024 * mib,
    unit: 'bytes',
    words: 'Body of an answer that is no stream.',
  }),
} as const;

const strategies = ['smart', 'round_robin', 'priority_only', 'random'] as const;

/** Documented strategies that this version does not have; naming one is a fault that says so. */
export const laterStrategies: readonly string[] = [
  'latency',
  'weighted',
  'least_in_flight',
  'least_tokens',
  'power_of_two',
  'model_affinity',
  'prefix_affinity',
  'sticky',
  'geographic',
  'cost',
];

function weight(fallback: number, words: string) {
  return integer({ fallback, min: 0, max: 100, words: `${words} The three sum to 100.` });
}

const modelName = z.string().min(1).max(1000);

export const routingOptions = {
  strategy: choice({
    of: strategies,
    fallback: 'smart',
    flag: '--strategy',
    words: 'How one of several backends of a model is chosen.',
  }),
  maxRetries: integer({
    fallback: 2,
    min: 0,
    max: 10,
    words: 'Further backends tried before the first byte reached the client.',
  }),
  weights: {
    priority: weight(50, 'Weight of the backend priority in the smart score.'),
    load: weight(30, 'Weight of the requests in flight in the smart score.'),
    latency: weight(20, 'Weight of the latency in the smart score.'),
  },
  aliases: structure<Readonly<Record<string, string>>>({
    schema: z.record(modelName, modelName),
    fallback: {},
    fallbackWords: 'none',
    expected: 'a map of alias to model id',
    words: 'Further names of models; a real model of that name wins. At most 3 steps, no cycles.',
  }),
} as const;

export const limitsOptions = {
  keyConcurrency: integer({
    fallback: 64,
    min: 0,
    max: 1_000_000,
    unit: 'requests',
    words: 'Inference requests of one API key in flight at once; 0 sets no limit. Beyond it, 429.',
  }),
  authAttemptsPerMinute: integer({
    fallback: 5,
    min: 1,
    max: 10_000,
    words: 'Rejected credentials of one address in a minute; beyond it, 429.',
  }),
} as const;

export const backendsOption = structure({
  schema: z.array(backendEntrySchema).max(10_000),
  fallback: [],
  fallbackWords: 'none',
  expected: 'a list of backends',
  words: 'Backends that are always there.',
});
