// Wire shapes of what leaves the audit trail: seals, anchors, the manifest at the end of an exported
// file; and of the requests for an export and a verification.

import { z } from 'zod';

const moment = z.iso.datetime({ offset: true });

export const auditVerifySchema = z.strictObject({
  /** Compare the seals with the anchors file too. */
  anchors: z.boolean().default(true),
});

export const auditExportQuerySchema = z
  .strictObject({
    /** Both ends belong to the window. */
    from: moment.optional(),
    to: moment.optional(),
    stream: z.string().min(1).max(63).optional(),
    format: z.literal('jsonl').default('jsonl'),
    /** Export in spite of a clock that was set back; the manifest says so. */
    accept_reversals: z.enum(['true', 'false']).default('false'),
  })
  .refine(({ from = '', to }) => to === undefined || !(Date.parse(from) > Date.parse(to)), {
    path: ['to'],
    message: 'lies before from',
  });

const headSchema = z.object({ stream: z.string(), sequence: z.int(), hash: z.string() });

export const sealSchema = z.object({
  sequence: z.int(),
  sealed_at: z.string(),
  /** Sorted by stream. */
  heads: z.array(headSchema),
  prev_digest: z.string(),
  digest: z.string(),
  /** Ed25519 over sequence and digest, base64url. */
  signature: z.string(),
  /** Raw public half, base64url. */
  public_key: z.string(),
});
export type SealWire = z.infer<typeof sealSchema>;

/** A line of the anchors file: what a seal was when it was made. */
export const anchorSchema = sealSchema.pick({
  sequence: true,
  digest: true,
  signature: true,
  public_key: true,
});
export type AnchorWire = z.infer<typeof anchorSchema>;

const manifestBodySchema = z.object({
  version: z.literal(1),
  exported_at: z.string(),
  exported_by: z.string(),
  /** The window that was asked for; null is open. */
  from: z.string().nullable(),
  to: z.string().nullable(),
  /** Null: all streams. */
  stream: z.string().nullable(),
  events: z.int(),
  counts: z.record(z.string(), z.int()),
  /**
   * The run of each stream in the file, without a hole: from `first_sequence`, whose event follows
   * `prev_hash`, to `sequence`, whose event has `hash`. Sorted by stream.
   */
  heads: z.array(headSchema.extend({ first_sequence: z.int(), prev_hash: z.string() })),
  /** Places where a clock was set back, which whoever exported accepted. */
  reversals: z.int(),
  /** The newest seal that covers nothing after the file's events; null without one. */
  seal: sealSchema.nullable(),
});
export type ManifestBody = z.infer<typeof manifestBodySchema>;

export const manifestSchema = manifestBodySchema.extend({
  /** SHA-256 over the canonical JSON of everything above. */
  digest: z.string(),
  /** Ed25519 over the digest, base64url. */
  signature: z.string(),
  public_key: z.string(),
});
export type Manifest = z.infer<typeof manifestSchema>;

/** The last line of an exported file. */
export const manifestLineSchema = z.strictObject({ manifest: manifestSchema });

/** What is signed of a seal: its digest with place and purpose, so that it stands for nothing else. */
export function sealStatement(sequence: number, digest: string): string {
  return `tensorforge audit seal ${sequence} ${digest}`;
}

/** What is signed of an export. */
export function exportStatement(digest: string): string {
  return `tensorforge audit export ${digest}`;
}
