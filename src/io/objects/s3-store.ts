// Objects in a bucket of S3, or of a server that speaks its protocol. The client of Amazon is
// large, so it is loaded when the first store is opened and never without one.
//
// `requestChecksumCalculation: 'WHEN_REQUIRED'`: since 3.729 the client would send its own checksum
// trailers with every write, which many compatible servers refuse.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { S3Client } from '@aws-sdk/client-s3';
import { assert } from '../../base/assert.ts';
import { compareText } from '../../base/compare.ts';
import { fault } from '../../base/fault.ts';
import { err, ok } from '../../base/result.ts';
import type { Secret } from '../../base/secret.ts';
import {
  assertObjectKey,
  type ObjectBody,
  type ObjectStore,
  type StoredObject,
} from './object-store.ts';

type Library = typeof import('@aws-sdk/client-s3');

export type S3Options = {
  readonly bucket: string;
  readonly region: string;
  /** Of a compatible server: `http://127.0.0.1:9000`; undefined for Amazon. */
  readonly endpoint?: string;
  /** Put before every key: `segments/`; empty for none. */
  readonly prefix: string;
  /** Undefined: as the environment of the process says, in the usual way of the client. */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: Secret };
};

/** A list of more pages than this, of 1000 objects each, is somebody else's bucket. */
const pagesMax = 1_000;

function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('$metadata' in error)) return undefined;
  const metadata = error.$metadata;
  if (typeof metadata !== 'object' || metadata === null) return undefined;
  if (!('httpStatusCode' in metadata)) return undefined;
  return typeof metadata.httpStatusCode === 'number' ? metadata.httpStatusCode : undefined;
}

/** The store; nothing is sent before it is used. */
export async function openS3Store(options: S3Options): Promise<S3Store> {
  const library = await import('@aws-sdk/client-s3');
  const { region, endpoint, credentials } = options;
  const client = new library.S3Client({
    region,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // A server of one's own rarely has a host name for each bucket.
    ...(endpoint === undefined ? {} : { endpoint, forcePathStyle: true }),
    ...(credentials === undefined
      ? {}
      : {
          credentials: {
            accessKeyId: credentials.accessKeyId,
            secretAccessKey: credentials.secretAccessKey.reveal(),
          },
        }),
  });
  return new S3Store(library, client, options);
}

export class S3Store implements ObjectStore {
  readonly #library: Library;
  readonly #client: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(library: Library, client: S3Client, options: Pick<S3Options, 'bucket' | 'prefix'>) {
    this.#library = library;
    this.#client = client;
    this.#bucket = options.bucket;
    this.#prefix = options.prefix;
  }

  /** A file is sent as a stream, so it is read once: whoever wants to try again puts it again. */
  async put(key: string, body: ObjectBody): Promise<void> {
    const target = this.#target(key);
    const content =
      'bytes' in body
        ? { Body: body.bytes, ContentLength: body.bytes.length }
        : { Body: createReadStream(body.path), ContentLength: (await stat(body.path)).size };
    const ContentType = 'application/octet-stream';
    await this.#client.send(
      new this.#library.PutObjectCommand({ ...target, ...content, ContentType }),
    );
  }

  async get(key: string): ReturnType<ObjectStore['get']> {
    try {
      const answer = await this.#client.send(new this.#library.GetObjectCommand(this.#target(key)));
      const bytes = await answer.Body?.transformToByteArray();
      return ok(Buffer.from(bytes ?? []));
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
      return err(fault('object_not_found', `there is no object ${key}`));
    }
  }

  async has(key: string): Promise<boolean> {
    try {
      await this.#client.send(new this.#library.HeadObjectCommand(this.#target(key)));
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return false;
      throw error;
    }
  }

  async list(prefix: string): Promise<readonly StoredObject[]> {
    const found: StoredObject[] = [];
    let token: string | undefined;
    for (let page = 0; page < pagesMax; page++) {
      const answer = await this.#client.send(
        new this.#library.ListObjectsV2Command({
          Bucket: this.#bucket,
          Prefix: `${this.#prefix}${prefix}`,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
      for (const { Key, Size } of answer.Contents ?? []) {
        if (Key !== undefined)
          found.push({ key: Key.slice(this.#prefix.length), bytes: Size ?? 0 });
      }
      token = answer.IsTruncated === true ? answer.NextContinuationToken : undefined;
      if (token === undefined) break;
    }
    assert(token === undefined, `more than ${pagesMax} pages of objects below ${prefix}`);
    return found.sort((a, b) => compareText(a.key, b.key));
  }

  /** Closes the connections. */
  close(): void {
    this.#client.destroy();
  }

  #target(key: string): { readonly Bucket: string; readonly Key: string } {
    assertObjectKey(key);
    return { Bucket: this.#bucket, Key: `${this.#prefix}${key}` };
  }
}
