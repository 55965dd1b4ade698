// Files of `/v1/files`: taken in piece by piece within the bounds of a file and of its group, and given
// out again. A key sees the files of its group only.
//
//   F1  a file that a client was told of is whole on the disk and has a row.
//   F2  what a group has and what is coming in for it stays within its bounds.

import { randomBytes } from 'node:crypto';
import type { Readable } from 'node:stream';
import type { Instant } from '../../base/time.ts';
import { TensorForgeError } from '../../errors/tensorforge-error.ts';
import type { ContentDraft, ContentFolder } from '../../io/files/content-folder.ts';
import type { Principal, ReceivedForm } from '../../io/http/control-route.ts';
import type { EventToAppend } from '../../io/postgres/control-events.ts';
import type { FileStore, Page, StoredFile } from '../../io/postgres/inference-file-store.ts';
import { requireStorable } from '../../io/postgres/storable-text.ts';
import { type MultipartEvent, MultipartReader } from '../../protocol/http/multipart.ts';

export type FileDeskOptions = {
  readonly store: FileStore;
  readonly contents: ContentFolder;
  readonly now: () => Instant;
  /** Bytes of one file, and of all files of a group. */
  readonly fileBytesMax: number;
  readonly groupBytesMax: number;
};

/** What comes in for a group now. */
type Incoming = { bytes: number; uploads: number };

type Caller = Pick<Principal, 'groupName' | 'keyId' | 'text'>;

/** Rows of one group at most: a file may be empty. */
const groupFilesMax = 10_000;
const fieldBytesMax = 1024;
const filenameMax = 255;
const knownFields: ReadonlySet<string> = new Set(['purpose', 'file']);

export function newFileId(): string {
  return `file-${randomBytes(12).toString('hex')}`;
}

function fileNotFound(fileId: string): TensorForgeError {
  return new TensorForgeError('not_found', `There is no file ${fileId.slice(0, 100)}.`);
}

function bad(param: string, words: string): TensorForgeError {
  return new TensorForgeError('invalid_request', words, { param });
}

export class FileDesk {
  readonly #options: FileDeskOptions;
  /** Bytes that are coming in, by group. */
  readonly #incoming = new Map<string, Incoming>();

  constructor(options: FileDeskOptions) {
    this.#options = options;
  }

  /** Takes in one form. Throws what the client did wrong; nothing of it is left then. */
  async upload(caller: Caller, form: ReceivedForm): Promise<StoredFile> {
    const { groupName } = caller;
    const incoming = this.#begin(groupName);
    const lost = { bytes: 0 };
    try {
      return await this.#takeIn(caller, form, incoming, lost);
    } finally {
      this.#end(groupName, incoming, lost.bytes);
    }
  }

  async #takeIn(caller: Caller, form: ReceivedForm, incoming: Incoming, lost: { bytes: number }) {
    const { groupName } = caller;
    const has = await this.#options.store.usage(groupName);
    if (has.files >= groupFilesMax) {
      throw new TensorForgeError('quota_exceeded', `The group has ${has.files} files, its limit.`);
    }
    const room = this.#options.groupBytesMax - has.bytes;
    const fileId = newFileId();
    const draft = await this.#options.contents.draft(fileId);
    const upload = new Upload(draft, {
      fileBytesMax: this.#options.fileBytesMax,
      reserve: (bytes) => this.#reserve(incoming, bytes, room),
    });
    try {
      const { purpose, filename } = await upload.read(form);
      const file = this.#fileOf(fileId, caller, { purpose, filename, bytes: draft.bytes });
      await draft.keep();
      await this.#options.store.add(file, fileEvent('file_uploaded', caller, file));
      return file;
    } catch (error) {
      lost.bytes = draft.bytes;
      await draft.drop();
      await this.#options.contents.remove(fileId);
      throw error;
    }
  }

  #fileOf(
    fileId: string,
    { groupName, keyId }: Caller,
    told: Pick<StoredFile, 'filename' | 'bytes'> & { readonly purpose: string },
  ): StoredFile {
    if (told.purpose !== 'batch') {
      throw bad('purpose', 'purpose must be batch: other files have no use here.');
    }
    const { filename, bytes } = told;
    const createdAt = this.#options.now();
    return { fileId, groupName, keyId, purpose: 'batch', filename, bytes, createdAt };
  }

  #begin(groupName: string): Incoming {
    const incoming = this.#incoming.get(groupName) ?? { bytes: 0, uploads: 0 };
    incoming.uploads++;
    this.#incoming.set(groupName, incoming);
    return incoming;
  }

  #reserve(incoming: Incoming, bytes: number, room: number): void {
    if (incoming.bytes + bytes > room) {
      const words = `The files of the group would be larger than ${this.#options.groupBytesMax} bytes together. Delete some.`;
      throw new TensorForgeError('quota_exceeded', words);
    }
    incoming.bytes += bytes;
  }

  /** What was stored counts on until no upload of the group goes by figures from before. */
  #end(groupName: string, incoming: Incoming, bytesLost: number): void {
    incoming.bytes -= bytesLost;
    incoming.uploads--;
    if (incoming.uploads === 0) this.#incoming.delete(groupName);
  }

  list(
    { groupName }: Caller,
    query: {
      readonly after?: string | undefined;
      readonly purpose?: string | undefined;
      readonly order: 'asc' | 'desc';
      readonly limit: number;
    },
  ): Promise<Page<StoredFile>> {
    const { after, purpose, order, limit } = query;
    return this.#options.store.list({
      groupName,
      purpose,
      isAscending: order === 'asc',
      after,
      limit,
    });
  }

  async get(caller: Caller, fileId: string): Promise<StoredFile> {
    const file = await this.#options.store.get(caller.groupName, fileId);
    if (file === undefined) throw fileNotFound(fileId);
    return file;
  }

  async content(caller: Caller, fileId: string): Promise<{ file: StoredFile; body: Readable }> {
    const file = await this.get(caller, fileId);
    return { file, body: this.#options.contents.read(file.fileId) };
  }

  async remove(caller: Caller, fileId: string): Promise<void> {
    const file = await this.get(caller, fileId);
    const event = fileEvent('file_deleted', caller, file, this.#options.now());
    const outcome = await this.#options.store.remove(caller.groupName, file.fileId, event);
    if (outcome === 'absent') throw fileNotFound(fileId);
    if (outcome === 'in_use') {
      const words = `A batch that has not ended reads ${file.fileId}. Cancel it, or wait for its end.`;
      throw new TensorForgeError('bad_state', words);
    }
    await this.#options.contents.remove(file.fileId);
  }

  /** Removes contents without a row and what was half-written. To be awaited before any upload. */
  async sweep(): Promise<void> {
    const { contents, store } = this.#options;
    const names = await contents.names();
    const known = await store.known(names);
    for (const name of names) if (!known.has(name)) await contents.removeName(name);
  }
}

function fileEvent(
  kind: 'file_uploaded' | 'file_deleted',
  { text }: Caller,
  file: StoredFile,
  at = file.createdAt,
): EventToAppend {
  return {
    stream: 'edge',
    kind,
    version: 1,
    occurredAt: at,
    actor: text,
    subject: `file:${file.fileId}`,
    data: { group: file.groupName, purpose: file.purpose, bytes: file.bytes },
  };
}

/** One form on its way in: its file goes to the draft, its short fields are kept. */
class Upload {
  readonly #draft: ContentDraft;
  readonly #bounds: {
    readonly fileBytesMax: number;
    /** Throws when the group has no room for so many more bytes. */
    readonly reserve: (bytes: number) => void;
  };
  readonly #fields = new Map<string, string>();
  #filename: string | undefined;
  #current = '';

  constructor(
    draft: ContentDraft,
    bounds: { readonly fileBytesMax: number; readonly reserve: (bytes: number) => void },
  ) {
    this.#draft = draft;
    this.#bounds = bounds;
  }

  async read({ boundary, body }: ReceivedForm): Promise<{ purpose: string; filename: string }> {
    const reader = new MultipartReader(boundary);
    for await (const chunk of receivedChunks(body)) {
      const read = reader.push(chunk);
      if (!read.ok) throw new TensorForgeError('invalid_request', read.error.message);
      for (const event of read.value) await this.#take(event);
    }
    const end = reader.end();
    if (!end.ok) throw new TensorForgeError('invalid_request', end.error.message);
    if (this.#filename === undefined) throw bad('file', 'The form has no file.');
    return { purpose: this.#fields.get('purpose') ?? '', filename: this.#filename };
  }

  async #take(event: MultipartEvent): Promise<void> {
    if (event.kind === 'part') this.#begin(event.head.name, event.head.filename);
    if (event.kind !== 'data') return;
    if (this.#current === 'file') await this.#writeFile(event.bytes);
    else this.#addField(event.bytes);
  }

  #begin(name: string, filename: string | undefined): void {
    if (!knownFields.has(name)) {
      throw bad(name.slice(0, 100), `${name.slice(0, 100)} is not taken here.`);
    }
    const isTwice = name === 'file' ? this.#filename !== undefined : this.#fields.has(name);
    if (isTwice) throw bad(name, `${name} comes twice.`);
    this.#current = name;
    if (name === 'file') {
      this.#filename = filenameOf(filename);
      return;
    }
    this.#fields.set(name, '');
  }

  async #writeFile(bytes: Buffer): Promise<void> {
    const { fileBytesMax, reserve } = this.#bounds;
    if (this.#draft.bytes + bytes.length > fileBytesMax) {
      const words = `The file is larger than ${fileBytesMax} bytes.`;
      throw new TensorForgeError('payload_too_large', words, { param: 'file' });
    }
    reserve(bytes.length);
    await this.#draft.write(bytes);
  }

  #addField(bytes: Buffer): void {
    const text = (this.#fields.get(this.#current) ?? '') + bytes.toString('utf8');
    if (text.length > fieldBytesMax) {
      throw bad(this.#current, `${this.#current} is longer than ${fieldBytesMax} bytes.`);
    }
    this.#fields.set(this.#current, text);
  }
}

function filenameOf(told: string | undefined): string {
  const filename = told ?? '';
  if (filename === '' || filename.length > filenameMax) {
    throw bad('file', `file must have a filename of 1 to ${filenameMax} characters.`);
  }
  requireStorable(filename, 'file');
  return filename;
}

/** The pieces of a body. Throws `client_closed` when the client leaves before its end. */
async function* receivedChunks(body: Readable): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of body) yield chunk as Buffer;
  } catch (cause) {
    const words = 'The client left before its file was whole.';
    throw new TensorForgeError('client_closed', words, { cause });
  }
}
