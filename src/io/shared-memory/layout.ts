// The shared arena, drawn once. One 64-byte header and one 96-byte slot per backend: of 128 bytes two
// backends would never share a cache line, but a thousand would take 130 KB more. All figures are 32-bit words unless said otherwise.
//
//   header  0 layout version   1 published registry version   2 zero   3 queue depth
//           4-6 zero: the month's spend is in memory of its own (month-spend.ts)
//           7 owner heartbeat, unix seconds
//           8 open client connections   9 requests in flight   10 index of the serving mode
//           11 end of its cooldown, unix seconds   12-15 zero
//   slot    0 generation (odd = live)   1 pending   2 probe latency EMA ms   3 its samples
//           4-5 total requests (u64)   6 status code   7 gate bits   8 capacity
//           9 clamp events   10 first-byte EMA ms   11 error EMA x 1e6   12 first-byte samples
//           13 running, 14 waiting requests and 15 share of the KV cache in use x 1e6, as the engine
//           tells; `missing` in each that it does not tell, or told too long ago
//           16 peak EWMA of the first byte, us; 0 when never measured   17 its time, ms modulo 2^32
//           18 tokens of the requests in flight   19-23 zero
//   behind the slots: cursors of turns, one for each hash of a model

import { assert } from '../../base/assert.ts';

export const layoutVersion = 2;
export const headerWords = 16;
export const slotWords = 24;
export const defaultCapacity = 4096;

export const header = {
  layoutVersion: 0,
  registryVersion: 1,
  queueDepth: 3,
  ownerHeartbeatSeconds: 7,
  openConnections: 8,
  requestsInFlight: 9,
  servingMode: 10,
  modeCooldownEnd: 11,
} as const;

export const slot = {
  generation: 0,
  pending: 1,
  probeLatencyMs: 2,
  probeSamples: 3,
  totalRequests: 4,
  status: 6,
  gates: 7,
  capacity: 8,
  clampEvents: 9,
  firstByteMs: 10,
  errorEma: 11,
  firstByteSamples: 12,
  engineRunning: 13,
  engineWaiting: 14,
  engineKvUse: 15,
  peakUs: 16,
  peakAt: 17,
  tokens: 18,
} as const;

/** In a word of the engine's own load: not told, or too long ago. */
export const missing = 0xffff_ffff;

export const statusCodes = { unknown: 0, healthy: 1, unhealthy: 2, draining: 3 } as const;

function assertDistinct(words: Readonly<Record<string, number>>, limit: number): void {
  const used = new Set(Object.values(words));
  assert(used.size === Object.keys(words).length, 'two arena fields share a word');
  for (const word of used) assert(word >= 0 && word < limit, `arena word ${word} out of range`);
}

assertDistinct(header, headerWords);
assertDistinct(slot, slotWords);
assert(slot.totalRequests % 2 === 0, 'a u64 of the slot must be aligned');
assert(headerWords % 2 === 0 && slotWords % 2 === 0, 'slots must keep 8-byte alignment');
