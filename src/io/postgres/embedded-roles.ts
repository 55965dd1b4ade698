// The roles and the database of the embedded server. Three roles, so that a fault in the running
// program can neither change the schema, nor reach the file system through the server, nor rewrite
// the audit trail:
//   tensorforge_owner  owns the database and runs the migrations
//   tensorforge_app    reads and writes rows; what it may do to a table, the migrations grant
//   tensorforge_audit  adds to and reads the audit tables
// All passwords are derived from one random secret file of the data directory.

import { createHmac } from 'node:crypto';
import postgres from 'postgres';
import { Secret } from '../../base/secret.ts';
import { scramVerifier } from './scram-verifier.ts';
import type { SocketPlace } from './socket-directory.ts';

export const superuser = 'tensorforge_superuser';
export const databaseName = 'tensorforge';

export type EmbeddedRole = 'tensorforge_owner' | 'tensorforge_app' | 'tensorforge_audit';

const roles: readonly EmbeddedRole[] = [
  'tensorforge_owner',
  'tensorforge_app',
  'tensorforge_audit',
];

export function rolePassword(master: Secret, role: EmbeddedRole | typeof superuser): Secret {
  return new Secret(createHmac('sha256', master.reveal()).update(role).digest('base64url'));
}

/**
 * Makes roles and database, or brings those that exist to the wanted state. Idempotent: a crash in
 * the middle is mended by the next start.
 */
export async function createRoles(socket: SocketPlace, master: Secret): Promise<void> {
  const sql = postgres({
    path: socket.path,
    user: superuser,
    password: rolePassword(master, superuser).reveal(),
    database: 'postgres',
    max: 1,
    onnotice: () => {},
  });
  try {
    for (const role of roles) {
      // A password cannot be a parameter of ALTER ROLE, and no value is pasted into a statement
      // here; so it travels as a setting that the block quotes.
      await sql.begin(async (tx) => {
        await tx`
          select set_config('tensorforge.role', ${role}, true),
                 set_config('tensorforge.verifier', ${scramVerifier(rolePassword(master, role))}, true)`;
        await tx`
          do $$
          declare
            role_name text := current_setting('tensorforge.role');
          begin
            if not exists (select from pg_roles where rolname = role_name) then
              execute format('create role %I', role_name);
            end if;
            execute format(
              'alter role %I login nosuperuser nocreatedb nocreaterole nobypassrls noreplication password %L',
              role_name, current_setting('tensorforge.verifier'));
          end
          $$`;
      });
    }
    const [found] = await sql`select from pg_database where datname = ${databaseName}`;
    if (found === undefined) await sql`create database tensorforge owner tensorforge_owner`;
    await sql`revoke all on database tensorforge from public`;
    await sql`grant connect on database tensorforge to tensorforge_app, tensorforge_audit`;
  } finally {
    await sql.end({ timeout: 2 });
  }
}
