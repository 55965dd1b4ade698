// Annotations (platform specification D.4): names and values that a client sends with a request - the
// version of its model, a variant, flags - and finds again in the answer and in the decision. They change
// nothing else. What is no good annotation is refused, never repaired, so that none is silently missing.

import type { Annotation } from '../../base/annotation.ts';
import { err, ok, type Result } from '../../base/result.ts';
import { type HeadRefusal, malformedHead, refuseHead } from './head-refusal.ts';

/** What the name of such a header begins with; the rest is the name of the annotation. */
export const annotationPrefix = 'x-tensorforge-annotation-';

export const annotationsMax = 16;
/** Bytes of one value. */
export const annotationBytesMax = 256;

const nameShape = /^[a-z0-9][a-z0-9._-]{0,63}$/;

function faultOf({ name, value }: Annotation): HeadRefusal | undefined {
  if (!nameShape.test(name)) {
    const words = `The header ${annotationPrefix}<name> takes names of 1 to 64 letters, digits, dots, - and _.`;
    return malformedHead('annotation', words).error;
  }
  if (value.length === 0) {
    const words = `The annotation ${name} has no value. Send one, or leave the header out.`;
    return malformedHead('annotation', words).error;
  }
  if (value.length <= annotationBytesMax) return undefined;
  const words = `The annotation ${name} is ${value.length} bytes long, the limit is ${annotationBytesMax}. Send less.`;
  return refuseHead('annotation', 'headers_too_large', words).error;
}

/** The annotations of one head, values without tabs, in the order sent; undefined where there is none. */
export function checkAnnotations(
  given: readonly Annotation[] | undefined,
): Result<readonly Annotation[] | undefined, HeadRefusal> {
  if (given === undefined) return ok(undefined);
  if (given.length > annotationsMax) {
    const words = `${given.length} annotations were sent, the limit is ${annotationsMax}. Send fewer.`;
    return refuseHead('annotation', 'headers_too_large', words);
  }
  const names = new Set<string>();
  for (const annotation of given) {
    const fault = faultOf(annotation);
    if (fault !== undefined) return err(fault);
    if (names.has(annotation.name)) {
      return malformedHead('annotation', `The annotation ${annotation.name} was sent twice.`);
    }
    names.add(annotation.name);
  }
  return ok(given.map(({ name, value }) => ({ name, value: value.replaceAll('\t', ' ') })));
}
