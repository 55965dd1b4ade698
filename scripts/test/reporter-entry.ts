// What `--test-reporter` loads: node:test wants a default export, the project has none elsewhere.
import type { TestEvent } from 'node:test/reporters';
import { reportLines } from './reporter.ts';

async function* entry(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const line of reportLines(source)) yield `${JSON.stringify(line)}\n`;
}

// biome-ignore lint/style/noDefaultExport: node:test loads a reporter by its default export.
export default entry;
