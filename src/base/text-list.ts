// Lists that people write as one text: `alpha, beta, gamma`.

/** Split on comma, trimmed, blanks dropped, order kept; an equal item stays once, at its first place. */
export function commaList(text: string): string[] {
  const items = text.split(',').map((item) => item.trim());
  return [...new Set(items.filter((item) => item !== ''))];
}
