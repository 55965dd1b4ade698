// The options of the fleet: which backends there are, how they are found, checked, called and chosen.

import { z } from 'zod';
import { backendEntrySchema } from './backend-entry.ts';
import { host, integer, integerList, structure, switched, textList } from './option.ts';

const mib = 1024 * 1024;

/** Ports on which the usual engines listen: Ollama, LM Studio, llama.cpp, vLLM, exo. */
const usualPorts = [11434, 1234, 8080, 8000, 52415] as const;

const windowTokens = z.int().min(1).max(1_000_000_000);

/** Facts of a model over what its engine tells; `model` is an id, or its beginning and a `*`. */
const modelFactsSchema = z
  .strictObject({
    model: z.string().min(1).max(1000),
    context_length: windowTokens.optional(),
    vision: z.boolean().optional(),
    tools: z.boolean().optional(),
    json_mode: z.boolean().optional(),
    max_output_tokens: windowTokens.optional(),
  })
  .transform((entry) => ({
    model: entry.model,
    contextLength: entry.context_length,
    vision: entry.vision,
    tools: entry.tools,
    jsonMode: entry.json_mode,
    maxOutputTokens: entry.max_output_tokens,
  }));

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
  intervalSeconds: integer({
    fallback: 30,
    min: 0,
    max: 86_400,
    unit: 's',
    words: 'Time between two looks; 0 looks at the start only.',
  }),
  graceSeconds: integer({
    fallback: 60,
    min: 0,
    max: 86_400,
    unit: 's',
    words:
      'How long a found engine that has gone stays in the list. An approved one stays for ever.',
  }),
  modelFacts: structure({
    schema: z.array(modelFactsSchema).max(10_000),
    fallback: [],
    fallbackWords: 'none',
    expected: 'a list of facts of models',
    words: 'What models can do, over what engines tell: an id, or its beginning and a *.',
  }),
  mdns: {
    enabled: switched({
      fallback: true,
      words: 'Listen for engines that announce themselves on the local network (UDP 5353).',
    }),
    announce: switched({
      fallback: true,
      words:
        'Announce this gateway as _llm._tcp, without version or models; only when it listens off loopback.',
    }),
    services: textList({
      fallback: ['_ollama._tcp.local', '_llm._tcp.local'],
      of: 'service types',
      isGood: (item) => /^_[a-z0-9-]{1,15}\._(?:tcp|udp)(?:\.local)?\.?$/.test(item),
      words: 'Announcements that are listened for.',
    }),
    interface: textList({
      fallback: [],
      of: 'IPv4 addresses of this machine',
      isGood: (item) => /^\d{1,3}(?:\.\d{1,3}){3}$/.test(item),
      words: 'Network interfaces, by address; none named: all.',
    }),
    autoApprove: switched({
      fallback: false,
      words:
        'Let what announces itself take requests at once. Anybody on the network can announce anything.',
    }),
  },
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
  concurrency: integer({
    fallback: 256,
    min: 1,
    max: 4096,
    unit: 'probes',
    words: 'Probes under way at the same time.',
  }),
  loadSeconds: integer({
    fallback: 5,
    min: 0,
    max: 3600,
    unit: 's',
    words:
      'Time between two readings of an engine’s own load; 0 reads none. Older than three of them, a reading is missing.',
  }),
} as const;

export const lifecycleOptions = {
  timeoutMs: integer({
    fallback: 300_000,
    min: 1000,
    max: 86_400_000,
    unit: 'ms',
    words: 'An operation on a model that has not ended by then has failed.',
  }),
  vramHeadroomPercent: integer({
    fallback: 20,
    min: 0,
    max: 100,
    unit: '%',
    words: 'Share of the GPU memory that must be free before a model is loaded.',
  }),
  vramHeuristicMaxGb: integer({
    fallback: 16,
    min: 0,
    max: 100_000,
    unit: 'GB',
    words: 'Where the engine does not tell its total: GPU memory in use at most before a load.',
  }),
} as const;

export const fleetAdviceOptions = {
  enabled: switched({ fallback: false, words: 'Recommend models to load before they are asked.' }),
  minSampleDays: integer({
    fallback: 7,
    min: 1,
    max: 30,
    unit: 'days',
    words: 'Days of demand that a recommendation is based on at least.',
  }),
  minRequestCount: integer({
    fallback: 100,
    min: 1,
    max: 1_000_000,
    unit: 'requests',
    words: 'Requests of a model that a recommendation is based on at least.',
  }),
  analysisIntervalSeconds: integer({
    fallback: 3600,
    min: 60,
    max: 86_400,
    unit: 's',
    words: 'Time between two analyses; a recommendation holds for that long.',
  }),
  maxRecommendations: integer({
    fallback: 5,
    min: 1,
    max: 100,
    words: 'Recommendations at most.',
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

export const limitsOptions = {
  fileBytes: integer({
    fallback: 512_000_000,
    min: 1024,
    max: 10_000_000_000,
    unit: 'bytes',
    words: 'A file of /v1/files; beyond it, 413.',
  }),
  groupFileBytes: integer({
    fallback: 10_000_000_000,
    min: 0,
    max: 1_000_000_000_000_000,
    unit: 'bytes',
    words:
      'Files of one group together, results of batches among them; beyond it, no more uploads.',
  }),
  batchLines: integer({
    fallback: 32,
    min: 1,
    max: 10_000,
    unit: 'requests',
    words: 'Lines of OpenAI batches that run at once at most, when nothing else is to be done.',
  }),
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
