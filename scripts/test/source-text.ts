// A source text with everything that is not code blanked out, offsets and line breaks kept.
// Searching the blanked text finds words only where they are code; the original text at the same
// offset still has what stood inside quotes. This is a small lexer, not a parser: it knows
// comments, quotes, templates with nested `${}`, and tells a regular expression from a division by
// what came before it. That suffices because Biome has already parsed and formatted every file.

/** Blanks comments, and the insides of strings, templates and regular expressions. */
export function codeOnly(text: string): string {
  const out = text.split('');
  const blank = (from: number, to: number): void => {
    for (let at = from; at < to; at += 1) if (out[at] !== '\n') out[at] = ' ';
  };
  // The depth of braces at which each open template expression ends.
  const templates: number[] = [];
  let depth = 0;
  let at = 0;
  while (at < text.length) {
    const char = text[at];
    const next = text[at + 1];
    if (char === '/' && next === '/') {
      const end = endOfLine(text, at);
      blank(at, end);
      at = end;
    } else if (char === '/' && next === '*') {
      const close = text.indexOf('*/', at + 2);
      const end = close < 0 ? text.length : close + 2;
      blank(at, end);
      at = end;
    } else if (char === "'" || char === '"') {
      const end = endOfQuoted(text, at);
      blank(at + 1, end - 1);
      at = end;
    } else if (char === '`') {
      at = skipTemplate(text, at + 1, blank, () => templates.push(depth));
    } else if (char === '/' && startsExpression(text, out, at)) {
      const end = endOfRegExp(text, at);
      blank(at + 1, end - 1);
      at = end;
    } else if (char === '{') {
      depth += 1;
      at += 1;
    } else if (char === '}' && templates.at(-1) === depth) {
      templates.pop();
      at = skipTemplate(text, at + 1, blank, () => templates.push(depth));
    } else {
      if (char === '}') depth -= 1;
      at += 1;
    }
  }
  return out.join('');
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

function endOfQuoted(text: string, from: number): number {
  const quote = text[from];
  for (let at = from + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === quote) return at + 1;
  }
  return text.length;
}

/** Blanks literal template text from `from`; stops after the closing quote or after `${`. */
function skipTemplate(
  text: string,
  from: number,
  blank: (from: number, to: number) => void,
  openExpression: () => void,
): number {
  for (let at = from; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1;
    else if (text[at] === '`') {
      blank(from, at);
      return at + 1;
    } else if (text[at] === '$' && text[at + 1] === '{') {
      blank(from, at);
      openExpression();
      return at + 2;
    }
  }
  blank(from, text.length);
  return text.length;
}

function endOfRegExp(text: string, from: number): number {
  let inClass = false;
  for (let at = from + 1; at < text.length; at += 1) {
    const char = text[at];
    if (char === '\\') at += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return at + 1;
    else if (char === '\n') return from + 1; // It was a division after all.
  }
  return from + 1;
}

const wordsBeforeExpression = new Set([
  'return',
  'typeof',
  'case',
  'in',
  'of',
  'yield',
  'await',
  'else',
  'throw',
  'void',
]);

/** Does a slash at `at` begin a regular expression, judged by the code before it? */
function startsExpression(text: string, out: readonly string[], at: number): boolean {
  let before = at - 1;
  while (before >= 0 && /\s/.test(out[before] ?? ' ')) before -= 1;
  if (before < 0) return true;
  const char = text[before] ?? '';
  if (/[\w$]/.test(char)) {
    const word = /[\w$]+$/.exec(text.slice(Math.max(0, before - 20), before + 1))?.[0] ?? '';
    return wordsBeforeExpression.has(word);
  }
  return !/[)\]}'"`]/.test(char);
}

/** The 1-based line of an offset, for messages. */
export function lineOf(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1;
  }
  return line;
}
