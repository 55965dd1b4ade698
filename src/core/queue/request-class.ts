// The priority class of a request: what the client asks for, held within what its key may have.

import { isPriorityClass, type PriorityClass } from '../jobs/priority-class.ts';

const classOfText: Readonly<Record<string, PriorityClass>> = {
  critical: 5,
  high: 4,
  medium: 3,
  normal: 3,
  low: 2,
  info: 1,
};

const defaultClass: PriorityClass = 3;
/** The most urgent class without a permission of its own. */
const ordinaryMax: PriorityClass = 4;

/**
 * The class that `text` asks for: a label in any case or 1 to 5; 3 for anything else and for none
 * (overview of the specification, 3.3). Class 5 is for those who may have it; others get 4.
 */
export function requestClass(text: string | undefined, mayBeCritical: boolean): PriorityClass {
  if (text === undefined) return defaultClass;
  const word = text.trim().toLowerCase();
  const number = /^[1-5]$/.test(word) ? Number(word) : 0;
  const named = Object.hasOwn(classOfText, word) ? classOfText[word] : undefined;
  const asked = isPriorityClass(number) ? number : (named ?? defaultClass);
  return asked === 5 && !mayBeCritical ? ordinaryMax : asked;
}
