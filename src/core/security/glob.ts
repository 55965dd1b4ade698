// Model globs of keys and aliases: `*` stands for any text, also slashes and colons, `?` for one
// character. No regular expression: a pattern of a user must not be able to cost time.
//
// Only the last `*` is ever tried again: what an earlier one matched can stay as short as possible,
// because every later `*` can make up for it. A try costs at most one segment between two stars,
// so the whole costs at most text length x longest segment, and memory not at all.

const star = 42;
const question = 63;

/** Does the whole of `text` match `pattern`? Case-sensitive, by UTF-16 unit. */
export function matchesGlob(pattern: string, text: string): boolean {
  let at = 0;
  let patternAt = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (at < text.length) {
    const wanted = patternAt < pattern.length ? pattern.charCodeAt(patternAt) : -1;
    if (wanted === star) {
      starAt = patternAt;
      resumeAt = at;
      patternAt += 1;
    } else if (wanted === question || wanted === text.charCodeAt(at)) {
      patternAt += 1;
      at += 1;
    } else if (starAt >= 0) {
      // The star takes one character more, and the segment behind it is tried again.
      patternAt = starAt + 1;
      resumeAt += 1;
      at = resumeAt;
    } else {
      return false;
    }
  }
  while (patternAt < pattern.length && pattern.charCodeAt(patternAt) === star) patternAt += 1;
  return patternAt === pattern.length;
}
