// Text that comes from callers and goes into the database.

import { TensorForgeError } from '../../errors/tensorforge-error.ts';

/**
 * Throws `invalid_request` for text that PostgreSQL cannot store: NUL, and halves of surrogate pairs,
 * which have no UTF-8 form.
 */
export function requireStorable(text: string, param: string): void {
  if (!text.includes('\0') && text.isWellFormed()) return;
  throw new TensorForgeError(
    'invalid_request',
    `${param} holds a character that cannot be stored`,
    {
      param,
    },
  );
}
