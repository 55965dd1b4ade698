// What a simulated model answers: text and vectors that depend on nothing but a digest, so the
// same request gets the same answer from every simulated engine with the same seed. Every token is
// a word of three letters and a space: four characters, which is what the simulator counts as one
// token, so an answer that comes back in the next prompt has the length it was billed for.

import { seededRandom } from '../../../base/random.ts';
import { scramble } from './prompt-digest.ts';

const words =
  'the and one two six ten sun sky sea day way far low big red old new hot dry wet air oak elm ' +
  'ash fir bud bee ant hen cat dog fox owl jay cow pig ram ewe hay rye oat pea nut fig jam pie ' +
  'tea cup pot pan lid mat rug bed box bag hat tie boy son mom pal run';
const vocabulary: readonly string[] = words.split(' ');

/** The text of tokens `from` up to but not including `to` of the answer to `digest`. */
export function tokenText(digest: number, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) {
    const word = vocabulary[scramble((digest + Math.imul(i, 0x9e3779b1)) | 0) % vocabulary.length];
    text += `${word ?? ''} `;
  }
  return text;
}

/** A vector of length one. */
export function embeddingVector(digest: number, dimensions: number): number[] {
  const random = seededRandom(digest);
  const vector = Array.from({ length: dimensions }, () => random.nextUnit() - 0.5);
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0)) || 1;
  return vector.map((value) => value / norm);
}
