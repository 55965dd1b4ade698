// Keys are hashed together with a secret outside the database, the pepper. With another pepper no key
// would be good and nobody could get in, so the first start leaves a check value beside the hashes,
// and a start with another pepper is refused with words instead.

import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { Sql } from './connection.ts';
import { endlessTtlSeconds } from './identity-store.ts';
import type { Row } from './rows.ts';

const rowId = 'pepper-check';

/** Throws `config_invalid` when the database's keys were made with another pepper. */
export async function checkPepper(sql: Sql, digest: string): Promise<void> {
  await sql`
    insert into token_store (token_id, token_hash, issued_at, ttl_seconds)
    values (${rowId}, ${digest}, 0, ${endlessTtlSeconds})
    on conflict (token_id) do nothing`;
  const [row] = await sql<Pick<Row<'token_store'>, 'token_hash'>[]>`
    select token_hash from token_store where token_id = ${rowId}`;
  if (row?.token_hash === digest) return;
  throw new TensorForgeError(
    'config_invalid',
    'the API keys in this database were made with another pepper: use the data directory they were ' +
      'made with, or name its file "pepper" by security.pepper_file',
  );
}
