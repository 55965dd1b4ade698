// How the head check refuses: an error of the catalogue, a label for the metric, and whether the
// connection can go on. After a framing fault nobody knows where the next request would start.

import { err } from '../../base/result.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type HeadFaultKind =
  | 'annotation'
  | 'body_too_large'
  | 'content_length'
  | 'expect'
  | 'header_bytes'
  | 'head_too_large'
  | 'host'
  | 'host_not_allowed'
  | 'path'
  | 'target'
  | 'target_too_long'
  | 'transfer_coding'
  | 'transfer_encoding'
  | 'unexpected_body'
  | 'version';

export type HeadRefusal = Refusal & {
  /** Must the connection be closed after the answer? */
  readonly close: boolean;
  readonly kind: HeadFaultKind;
};

export function refuseHead(
  kind: HeadFaultKind,
  code: ErrorCode,
  message: string,
  close = true,
): { readonly ok: false; readonly error: HeadRefusal } {
  return err({ ...refusal(code, message), close, kind });
}

export function malformedHead(kind: HeadFaultKind, message: string) {
  return refuseHead(kind, 'malformed_http', message);
}
