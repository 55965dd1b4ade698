// What was wrong with a request to the control API, in words for people: which member, what it must
// be, never the vocabulary of the checking library.

import type { z } from 'zod';
import { type Refusal, refusal, TensorForgeError } from '../../errors/tensorforge-error.ts';

type Issue = z.core.$ZodIssue;
type Fault = { readonly param: string; readonly fault: string };

const kinds: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a JSON object',
  record: 'a JSON object',
  null: 'null',
};

function sizeWords(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const isLeast = issue.code === 'too_small';
  const limit = String(isLeast ? issue.minimum : issue.maximum);
  const bound = `${isLeast ? 'at least' : 'at most'} ${limit}`;
  switch (issue.origin) {
    case 'string':
      return isLeast && limit === '1' ? 'must not be empty' : `must have ${bound} characters`;
    case 'array':
    case 'set':
      return isLeast && limit === '1' ? 'must not be an empty list' : `must have ${bound} entries`;
    default:
      return issue.inclusive === false
        ? `must be ${isLeast ? 'more' : 'less'} than ${limit}`
        : `must be ${bound}`;
  }
}

function words(issue: Issue): string {
  switch (issue.code) {
    case 'too_small':
    case 'too_big':
      return sizeWords(issue);
    case 'invalid_value': {
      const values = issue.values.map(String).join(', ');
      return issue.values.length === 1 ? `must be ${values}` : `must be one of ${values}`;
    }
    case 'invalid_type':
      // The value itself is not repeated, only whether there was one.
      return issue.message.endsWith('received undefined')
        ? 'is missing'
        : `must be ${kinds[issue.expected] ?? issue.expected}`;
    case 'invalid_format':
      return 'is not of the expected form';
    default:
      return issue.message;
  }
}

function faultsOf(issue: Issue): readonly Fault[] {
  const at = issue.path.map(String);
  if (issue.code !== 'unrecognized_keys') return [{ param: at.join('.'), fault: words(issue) }];
  return issue.keys.map((key) => ({
    param: [...at, key.slice(0, 100)].join('.'),
    fault: 'is not known here',
  }));
}

function isIssueList(value: unknown): value is readonly Issue[] {
  return Array.isArray(value) && value.every((one) => typeof one === 'object' && 'code' in one);
}

function memberFault(issues: readonly Issue[]): Refusal {
  const details = issues.flatMap(faultsOf);
  const told = details.map(({ param, fault }) => `${param === '' ? 'The body' : param} ${fault}`);
  return refusal('invalid_request', `${told.join('; ')}.`, { details });
}

/** The fault of the request behind an error; undefined when it is not the request's. */
export function requestFault(error: unknown): Refusal | undefined {
  if (typeof error === 'object' && error !== null && 'issues' in error) {
    if (isIssueList(error.issues)) return memberFault(error.issues);
  }
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return refusal('payload_too_large', 'The body is larger than the limit of this route.');
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return refusal('unsupported_media_type', 'Send content-type: application/json.');
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return refusal('malformed_http', 'The body is not as long as its Content-Length says.');
    default:
      return error instanceof SyntaxError
        ? refusal('invalid_json', 'The body is not valid JSON.')
        : undefined;
  }
}

/** The JSON value of a body; undefined for an empty one. Throws `SyntaxError` or `invalid_request`. */
export function parseControlBody(text: string): unknown {
  if (text === '') return undefined;
  let isPolluting = false;
  const value: unknown = JSON.parse(text, (name, member: unknown) => {
    if (name === '__proto__') isPolluting = true;
    return member;
  });
  if (!isPolluting) return value;
  throw new TensorForgeError('invalid_request', '__proto__ is not known here.', {
    details: [{ param: '__proto__', fault: 'is not known here' }],
  });
}
