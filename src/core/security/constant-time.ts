// Comparing secrets without telling how much of a guess was right (platform specification A.12): the
// time depends on the length of the texts, never on where they differ. Never `===` for secrets.

/** Are both texts equal? Reads all of both when their lengths are equal. */
export function constantTimeEqual(a: string, b: string): boolean {
  if (a.length !== b.length) return false;
  let differences = 0;
  for (let at = 0; at < a.length; at += 1) differences |= a.charCodeAt(at) ^ b.charCodeAt(at);
  return differences === 0;
}
