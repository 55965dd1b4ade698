// Files of `/v1/files` in PostgreSQL: what there is and whose it is. The contents are on the disk, under
// the same id (io/files/content-folder.ts).

import { type Instant, instant } from '../../base/time.ts';
import type { AnySql, Sql } from './connection.ts';
import type { ControlEvents, EventToAppend } from './control-events.ts';
import type { Row } from './rows.ts';

export type FilePurpose = 'batch' | 'batch_output';

export type StoredFile = {
  readonly fileId: string;
  readonly groupName: string;
  readonly keyId: string;
  readonly purpose: FilePurpose;
  readonly filename: string;
  readonly bytes: number;
  readonly createdAt: Instant;
};

export type FileQuery = {
  readonly groupName: string;
  readonly purpose: string | undefined;
  readonly isAscending: boolean;
  /** Only files behind this one in the order; one that there is not gives an empty page. */
  readonly after: string | undefined;
  /** At least 1. */
  readonly limit: number;
};

/** One more than asked for was looked for. */
export type Page<Item> = { readonly items: readonly Item[]; readonly hasMore: boolean };

export type FileStore = {
  add(file: StoredFile, event: EventToAppend): Promise<void>;
  get(groupName: string, fileId: string): Promise<StoredFile | undefined>;
  list(query: FileQuery): Promise<Page<StoredFile>>;
  /**
   * Forgets the file; `in_use` while a batch that has not ended reads it, `absent` where there is none.
   */
  remove(
    groupName: string,
    fileId: string,
    event: EventToAppend,
  ): Promise<'removed' | 'in_use' | 'absent'>;
  /** What the group has. */
  usage(groupName: string): Promise<{ readonly files: number; readonly bytes: number }>;
  /** Which of these files there are. */
  known(fileIds: readonly string[]): Promise<ReadonlySet<string>>;
};

function fileOf(row: Row<'inference_files'>): StoredFile {
  return {
    fileId: row.file_id,
    groupName: row.group_name,
    keyId: row.key_id,
    purpose: row.purpose === 'batch' ? 'batch' : 'batch_output',
    filename: row.filename,
    bytes: row.bytes,
    createdAt: instant(row.created_at.getTime()),
  };
}

/** Inserts the file in the caller's transaction. */
export async function insertFile(tx: AnySql, file: StoredFile): Promise<void> {
  await tx`
    insert into inference_files ${tx({
      file_id: file.fileId,
      group_name: file.groupName,
      key_id: file.keyId,
      purpose: file.purpose,
      filename: file.filename,
      bytes: file.bytes,
      created_at: new Date(file.createdAt),
    })}`;
}

/** Cuts the one too many that was looked for. */
export function pageOfRows<Item>(rows: readonly Item[], limit: number): Page<Item> {
  return { items: rows.slice(0, limit), hasMore: rows.length > limit };
}

export function inferenceFileStore(sql: Sql, events: ControlEvents): FileStore {
  return {
    async add(file, event) {
      await sql.begin(async (tx) => {
        await insertFile(tx, file);
        await events.append(tx, [event]);
      });
    },
    async get(groupName, fileId) {
      const [row] = await sql<Row<'inference_files'>[]>`
        select * from inference_files where file_id = ${fileId} and group_name = ${groupName}`;
      return row === undefined ? undefined : fileOf(row);
    },
    async list({ groupName, purpose, isAscending, after, limit }) {
      const place = sql`(select sequence from inference_files
        where file_id = ${after ?? ''} and group_name = ${groupName})`;
      const behind = isAscending ? sql`sequence > ${place}` : sql`sequence < ${place}`;
      const rows = await sql<Row<'inference_files'>[]>`
        select * from inference_files
        where group_name = ${groupName}
          ${purpose === undefined ? sql`` : sql`and purpose = ${purpose}`}
          ${after === undefined ? sql`` : sql`and ${behind}`}
        order by sequence ${isAscending ? sql`asc` : sql`desc`}
        limit ${limit + 1}`;
      return pageOfRows(rows.map(fileOf), limit);
    },
    remove: (groupName, fileId, event) =>
      sql.begin(async (tx) => {
        const [row] = await tx`
          select 1 from inference_files
          where file_id = ${fileId} and group_name = ${groupName} for update`;
        if (row === undefined) return 'absent';
        const open = await tx`
          select 1 from inference_batches where input_file_id = ${fileId}
            and status in ('validating', 'in_progress', 'finalizing', 'cancelling') limit 1`;
        if (open.length > 0) return 'in_use';
        await tx`delete from inference_files where file_id = ${fileId}`;
        await events.append(tx, [event]);
        return 'removed';
      }),
    async usage(groupName) {
      const [row] = await sql<{ readonly files: number; readonly bytes: number }[]>`
        select count(*) as files, coalesce(sum(bytes), 0)::bigint as bytes
        from inference_files where group_name = ${groupName}`;
      return { files: row?.files ?? 0, bytes: row?.bytes ?? 0 };
    },
    async known(fileIds) {
      const rows = await sql<Pick<Row<'inference_files'>, 'file_id'>[]>`
        select file_id from inference_files where file_id = any(${[...fileIds]})`;
      return new Set(rows.map((row) => row.file_id));
    },
  };
}
