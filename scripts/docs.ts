// The generated reference pages. `npm run docs:generate` writes them; test/docs.test.ts and
// `npm run check` hold the files equal to what the code says now. Each page comes from the one
// place where its facts are declared, so a page can be out of step but never wrong for long.
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderCliReference } from '../src/cli/reference.ts';
import { renderConfigurationReference } from '../src/config/reference.ts';
import { type CatalogueEntry, catalogue } from '../src/errors/catalogue.ts';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

export type Page = { readonly path: string; readonly text: string };

export async function referencePages(): Promise<readonly Page[]> {
  return [
    { path: 'docs/reference/errors.md', text: renderErrors(catalogue) },
    { path: 'docs/reference/configuration.md', text: renderConfigurationReference() },
    { path: 'docs/reference/cli.md', text: await renderCliReference() },
  ];
}

/** The paths of pages whose file differs from what the code says; missing counts as different. */
export async function pagesOutOfStep(): Promise<readonly string[]> {
  const pages = await referencePages();
  return pages
    .filter(({ path, text }) => readIfThere(join(root, path)) !== text)
    .map((p) => p.path);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** The error catalogue as a page: one table for each HTTP status. */
export function renderErrors(entries: Readonly<Record<string, CatalogueEntry>>): string {
  const byStatus = new Map<number, [string, CatalogueEntry][]>();
  for (const [code, entry] of Object.entries(entries)) {
    const list = byStatus.get(entry.status) ?? [];
    list.push([code, entry]);
    byStatus.set(entry.status, list);
  }
  const lines = [
    '# Error codes',
    '',
    'Generated from `src/errors/catalogue.ts`; do not edit.',
    '',
    'Every failure that TensorForge reports carries one of these codes, and the code alone decides',
    'HTTP status, retryability and the words of the OpenAI face. Codes are never reused.',
    '',
    'On `/v1` an error is `{"error": {"message", "type", "param", "code", ...}}` as OpenAI clients',
    'expect it; `type` and `code` are in the table, and where the printed code stands for several,',
    '`error.context.reason` holds the code of the first column. *Retry* says whether the same request',
    'may succeed later, with the seconds of `retry-after` where no better figure is known.',
  ];
  for (const [status, list] of [...byStatus].sort(([a], [b]) => a - b)) {
    lines.push('', `## ${status}`, '');
    lines.push('| Code | OpenAI type | OpenAI code | Retry | Meaning |', '|---|---|---|---|---|');
    for (const [code, entry] of list) lines.push(row(code, entry));
  }
  lines.push('');
  return lines.join('\n');
}

function row(code: string, entry: CatalogueEntry): string {
  const seconds = entry.retryAfterSeconds;
  const retry = entry.retryable ? `yes${seconds === undefined ? '' : `, ${seconds} s`}` : 'no';
  const words = entry.words.replaceAll('|', '\\|');
  return `| \`${code}\` | \`${entry.type}\` | \`${entry.openaiCode ?? code}\` | ${retry} | ${words} |`;
}

async function main(): Promise<void> {
  for (const { path, text } of await referencePages()) {
    if (readIfThere(join(root, path)) === text) continue;
    writeFileSync(join(root, path), text);
    process.stdout.write(`wrote ${path}\n`);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
