// How a breaker is named for people, in events, in its row and on the command line.

/** A backend, or a model on it. */
export type BreakerSubject = { readonly backend: string; readonly model: string | undefined };

/** `backend:ID` or `backend:ID/model:M`, with nothing that a database cannot store. */
export function subjectText({ backend, model }: BreakerSubject): string {
  const text = model === undefined ? `backend:${backend}` : `backend:${backend}/model:${model}`;
  return text.toWellFormed().replaceAll('\0', '\ufffd');
}

/** Undefined for what names no breaker. Ids of backends have no slash; names of models may have any. */
export function parseSubject(text: string): BreakerSubject | undefined {
  const parts = /^backend:([^/]+)(?:\/model:(.+))?$/s.exec(text);
  if (parts?.[1] === undefined) return undefined;
  return { backend: parts[1], model: parts[2] };
}
