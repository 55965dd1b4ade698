// Any character for `fc.string({ unit: codePoint })`. The library's own `unit: 'binary'` draws the same
// texts, but spends more than a second of every process on a table of all of them first.

import fc from 'fast-check';

const [firstHalf, afterHalves] = [0xd800, 0xe000];
const count = 0x110000 - (afterHalves - firstHalf);
/** Small numbers are drawn most, and mean what can be printed. */
const firstNumber = 0x20;

function characterOf(number: number): string {
  const code = (number + firstNumber) % count;
  return String.fromCodePoint(code < firstHalf ? code : code + afterHalves - firstHalf);
}

/** With it the library knows its dangerous texts ("__proto__") for texts of this unit. */
function numberOf(character: unknown): number {
  const code = typeof character === 'string' ? character.codePointAt(0) : undefined;
  const isOne = code !== undefined && String.fromCodePoint(code) === character;
  if (!isOne || (code >= firstHalf && code < afterHalves)) throw new Error('is no character');
  const place = code < firstHalf ? code : code - (afterHalves - firstHalf);
  return (place + count - firstNumber) % count;
}

/** Every code point but the halves of a pair, each as a text. */
export const codePoint = fc.integer({ min: 0, max: count - 1 }).map(characterOf, numberOf);
