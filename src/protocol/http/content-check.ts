// What a body claims to be, judged before a byte of it is read (design 6, ruling 2): bodies are
// JSON in UTF-8 and are never decompressed, so that their cost is known from their length.

import { type Refusal, refusal } from '../../errors/tensorforge-error.ts';

export type ContentFacts = {
  readonly contentType: string | undefined;
  readonly contentTypeCount: number;
  readonly contentEncoding: string | undefined;
};

const jsonType = /^application\/json *(?:; *charset=(?:utf-8|"utf-8") *)?$/i;

/** The refusal of a body that is not plain JSON in UTF-8 (cases 177 to 179); undefined if it is. */
export function checkJsonContent(facts: ContentFacts): Refusal | undefined {
  const { contentType, contentTypeCount, contentEncoding } = facts;
  if (contentEncoding !== undefined && contentEncoding.toLowerCase() !== 'identity') {
    return refusal(
      'unsupported_content_encoding',
      'The body has a content-encoding, and bodies are not decompressed here. Send it as it is.',
    );
  }
  if (contentType === undefined) {
    return refusal(
      'unsupported_media_type',
      'The request names no content-type. Send content-type: application/json.',
    );
  }
  if (contentTypeCount > 1) {
    return refusal(
      'unsupported_media_type',
      `The request names ${contentTypeCount} content-types. Send one, application/json.`,
    );
  }
  if (jsonType.test(contentType)) return undefined;
  return refusal(
    'unsupported_media_type',
    'The content-type is not application/json in UTF-8. Send content-type: application/json.',
  );
}
