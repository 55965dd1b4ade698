// One line of the input of an OpenAI batch, and one line of its output or error file. The body of a
// request and the answer to it travel in their own words: they are never parsed and printed again.

import { type Fault, fault } from '../../base/fault.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { objectText, type RawJson } from '../faces/raw-json.ts';
import { isObject } from './member-check.ts';

/** Where the lines of a batch may go: all that is answered in one piece. */
export const batchEndpoints = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/responses',
] as const;
export type BatchEndpoint = (typeof batchEndpoints)[number];

/** Bytes of a line at most (security case 202). */
export const lineBytesMax = 1_048_576;
const customIdMax = 512;
const modelMax = 1000;

export type BatchLine = {
  readonly customId: string;
  readonly model: string;
  /** The JSON object of the request, as it was written. */
  readonly body: string;
};

/** The codes are those that OpenAI writes, where it has one. */
export type LineFaultCode =
  | 'invalid_json_line'
  | 'line_too_large'
  | 'missing_required_parameter'
  | 'invalid_custom_id'
  | 'duplicate_custom_id'
  | 'invalid_method'
  | 'invalid_url'
  | 'invalid_request'
  | 'model_not_found';

export type LineFault = Fault<LineFaultCode> & { readonly param: string | undefined };

export function lineFault(code: LineFaultCode, message: string, param?: string): LineFault {
  return { ...fault(code, message), param };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 100)) : typeof value;
}

function missing(param: string): LineFault {
  return lineFault('missing_required_parameter', `The line has no ${param}.`, param);
}

function customIdFault(value: unknown): LineFault | undefined {
  if (value === undefined) return missing('custom_id');
  const isGood =
    typeof value === 'string' &&
    value.length >= 1 &&
    value.length <= customIdMax &&
    value.isWellFormed() &&
    !value.includes('\0');
  if (isGood) return undefined;
  const words = `custom_id must be a text of 1 to ${customIdMax} characters.`;
  return lineFault('invalid_custom_id', words, 'custom_id');
}

function methodFault(method: unknown): LineFault | undefined {
  if (method === undefined) return missing('method');
  if (method === 'POST') return undefined;
  return lineFault('invalid_method', `method is ${shown(method)}, but must be "POST".`, 'method');
}

function urlFault(url: unknown, endpoint: string): LineFault | undefined {
  if (url === undefined) return missing('url');
  if (url === endpoint) return undefined;
  const words = `url is ${shown(url)}, but must be the endpoint of the batch, "${endpoint}".`;
  return lineFault('invalid_url', words, 'url');
}

function bodyFault(body: unknown): LineFault | undefined {
  if (body === undefined) return missing('body');
  if (!isObject(body)) return lineFault('invalid_request', 'body must be a JSON object.', 'body');
  const { model, stream } = body;
  if (model === undefined) return missing('body.model');
  if (typeof model !== 'string' || model.length === 0 || model.length > modelMax) {
    const words = `body.model must be a text of 1 to ${modelMax} characters.`;
    return lineFault('invalid_request', words, 'body.model');
  }
  if (stream === undefined || stream === null || stream === false) return undefined;
  return lineFault('invalid_request', 'A batch cannot stream: leave stream out.', 'body.stream');
}

/** Reads one line, or says what is wrong with it, each member that is at fault. */
export function parseBatchLine(
  text: string,
  endpoint: BatchEndpoint,
): Result<BatchLine, readonly LineFault[]> {
  const raw: RawJson | undefined = objectText(text);
  const line: unknown = raw === undefined ? undefined : JSON.parse(text);
  if (raw === undefined || !isObject(line)) {
    const words = 'The line is no JSON object, or one that is nested too deeply.';
    return err([lineFault('invalid_json_line', words)]);
  }
  const { custom_id: customId, method, url, body } = line;
  const faults = [
    customIdFault(customId),
    methodFault(method),
    urlFault(url, endpoint),
    bodyFault(body),
  ].filter((found) => found !== undefined);
  if (faults.length > 0) return err(faults);
  return ok({
    customId: String(customId),
    model: String(isObject(body) ? body['model'] : ''),
    body: raw.member('body')?.text ?? '{}',
  });
}

export type LineResponse = {
  readonly status: number;
  readonly requestId: string;
  /** As the gateway answered it. */
  readonly body: string;
};

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** One line of JSON, in its own words: an end of line within JSON stands between values only. */
function onOneLine(body: string): string {
  return isJson(body) ? body.replaceAll(/[\r\n]+/g, ' ') : JSON.stringify(body.toWellFormed());
}

/** A line of the output file, or of the error file where the answer was an error. */
export function answeredLine(id: string, customId: string, response: LineResponse): string {
  const { status, requestId, body } = response;
  return `{"id":${JSON.stringify(id)},"custom_id":${JSON.stringify(customId)},"response":{"status_code":${status},"request_id":${JSON.stringify(requestId)},"body":${onOneLine(body)}},"error":null}`;
}

/** A line of the error file for a request that nobody answered. */
export function unansweredLine(
  id: string,
  customId: string,
  error: { readonly code: string; readonly message: string },
): string {
  return JSON.stringify({ id, custom_id: customId, response: null, error });
}
