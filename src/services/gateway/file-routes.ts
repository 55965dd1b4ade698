// `/v1/files` as OpenAI's API has it.

import { present } from '../../base/assert.ts';
import { type ControlRoute, json, needs } from '../../io/http/control-route.ts';
import type { Page, StoredFile } from '../../io/postgres/inference-file-store.ts';
import {
  deletedFileSchema,
  type FileObject,
  fileListQuerySchema,
  fileListSchema,
  fileObjectSchema,
} from '../../protocol/openai/batch-objects.ts';
import type { FileDesk } from './file-desk.ts';

function fileObject(file: StoredFile): FileObject {
  return {
    id: file.fileId,
    object: 'file',
    bytes: file.bytes,
    created_at: Math.floor(file.createdAt / 1000),
    expires_at: null,
    filename: file.filename,
    purpose: file.purpose,
    status: 'processed',
    status_details: null,
  };
}

/** A page in the shape of OpenAI's lists. */
export function listObject<Item extends { readonly id: string }>(page: Page<Item>) {
  const { items, hasMore } = page;
  return {
    object: 'list' as const,
    data: items,
    first_id: items[0]?.id ?? null,
    last_id: items.at(-1)?.id ?? null,
    has_more: hasMore,
  };
}

export function fileRoutes(desk: FileDesk): ControlRoute[] {
  const common = { service: 'gateway', needs: needs('inference:batch') } as const;
  const idOf = (params: Readonly<Record<string, string>>): string => params['id'] ?? '';
  return [
    {
      ...common,
      method: 'POST',
      path: '/v1/files',
      summary: 'Upload a file for a batch: a form with purpose=batch and file',
      takes: 'form',
      answer: fileObjectSchema,
      handle: async ({ principal, form }) => {
        const file = await desk.upload(principal, present(form, 'the form of a route with one'));
        return json(fileObject(file));
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/v1/files',
      summary: 'Files of the group, newest first',
      query: fileListQuerySchema,
      answer: fileListSchema,
      handle: async ({ principal, query }) => {
        const page = await desk.list(principal, fileListQuerySchema.parse(query));
        return json(listObject({ ...page, items: page.items.map(fileObject) }));
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/v1/files/:id',
      summary: 'One file',
      answer: fileObjectSchema,
      handle: async ({ principal, params }) => {
        return json(fileObject(await desk.get(principal, idOf(params))));
      },
    },
    {
      ...common,
      method: 'GET',
      path: '/v1/files/:id/content',
      summary: 'What a file holds',
      answerType: 'application/octet-stream',
      handle: async ({ principal, params }) => {
        const { file, body } = await desk.content(principal, idOf(params));
        return {
          status: 200,
          contentType: 'application/octet-stream',
          headers: {
            'content-length': String(file.bytes),
            'content-disposition': 'attachment',
            'x-content-type-options': 'nosniff',
          },
          body,
        };
      },
    },
    {
      ...common,
      method: 'DELETE',
      path: '/v1/files/:id',
      summary: 'Delete a file that no open batch reads',
      answer: deletedFileSchema,
      handle: async ({ principal, params }) => {
        const id = idOf(params);
        await desk.remove(principal, id);
        return json({ id, object: 'file', deleted: true });
      },
    },
  ];
}
