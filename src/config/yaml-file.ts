// The configuration file as plain values, with the line of every key, so that a fault can point at
// it. Syntax errors and doubled keys are faults like any other and told with the rest.

import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { ConfigurationFault } from './fault.ts';

export type YamlFile = {
  /** The top-level mapping; empty when the file is empty or does not parse. */
  readonly values: Readonly<Record<string, unknown>>;
  readonly faults: readonly ConfigurationFault[];
  /** Line of the value at this path, from 1; undefined when the file does not hold it. */
  lineOf(path: readonly (string | number)[]): number | undefined;
};

/** A configuration is small; a larger file is a mistake, and not worth the memory to find out. */
const largestFileChars = 1024 * 1024;

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(origin: string, expected: string, line?: number): ConfigurationFault {
  const where = line === undefined ? {} : { line };
  return { path: '', value: '', expected, source: 'file', origin, ...where };
}

export function parseYamlFile(text: string, origin: string): YamlFile {
  if (text.length > largestFileChars) {
    const tooLarge = fault(origin, `at most ${largestFileChars} characters, not ${text.length}`);
    return { values: {}, faults: [tooLarge], lineOf: () => undefined };
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const lineAt = (offset: number): number => lines.linePos(offset).line;
  const faults = document.errors.map((error) =>
    fault(origin, `readable YAML: ${error.message}`, lineAt(error.pos[0])),
  );

  function lineOf(path: readonly (string | number)[]): number | undefined {
    let node: unknown = document.contents;
    let offset: number | undefined;
    for (const step of path) {
      if (isMap(node)) {
        const pair = node.items.find((item) => isScalar(item.key) && item.key.value === step);
        if (pair === undefined) break;
        offset = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
        node = pair.value;
      } else if (isSeq(node)) {
        const item = node.items[Number(step)];
        if (item === undefined) break;
        offset = (item as Node).range?.[0] ?? offset;
        node = item;
      } else break;
    }
    return offset === undefined ? undefined : lineAt(offset);
  }

  if (faults.length > 0) return { values: {}, faults, lineOf };
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { values: {}, faults: [fault(origin, `readable YAML: ${words}`)], lineOf };
  }
  if (isRecord(values)) return { values, faults, lineOf };
  return { values: {}, faults: [fault(origin, 'a mapping of sections', 1)], lineOf };
}
