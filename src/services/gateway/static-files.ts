// The built dashboard, read once at start: a page for every page path, hashed assets for ever.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

export type StaticFile = {
  readonly body: Buffer;
  readonly gzip: Buffer | undefined;
  readonly contentType: string;
  readonly immutable: boolean;
};

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

export const pageHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'",
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
};

export class StaticFiles {
  readonly #files = new Map<string, StaticFile>();

  /** `folder` absent or empty: there is no dashboard, and pages answer 404. */
  constructor(folder: string | undefined) {
    if (folder === undefined || !existsSync(folder)) return;
    for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || entry.name.startsWith('.')) continue;
      const path = join(entry.parentPath, entry.name);
      const url = `/${path.slice(folder.length + 1)}`;
      const contentType = types[extname(entry.name)];
      if (contentType === undefined || url.includes('/.')) continue;
      const body = readFileSync(path);
      const gzip =
        body.length > 1024 && extname(entry.name) !== '.png' ? gzipSync(body) : undefined;
      this.#files.set(url, { body, gzip, contentType, immutable: url.startsWith('/assets/') });
    }
  }

  asset(path: string): StaticFile | undefined {
    return path === '/index.html' ? undefined : this.#files.get(path);
  }

  page(): StaticFile | undefined {
    return this.#files.get('/index.html');
  }
}
