// Is the input of a batch one that can be run? Every line is looked at before the first one is asked, so
// that a batch with a fault costs nothing, and every fault is told with its line, as far as a person
// wants to read them.

import type { Readable } from 'node:stream';
import { err, ok, type Result } from '../../base/result.ts';
import {
  type BatchEndpoint,
  type LineFault,
  lineBytesMax,
  lineFault,
  parseBatchLine,
} from '../../protocol/openai/batch-line.ts';
import type { BatchError } from '../../protocol/openai/batch-objects.ts';
import { type InputLine, inputLines } from './batch-input.ts';

export type ValidationPorts = {
  readonly endpoint: BatchEndpoint;
  readonly modelFault: ModelCheck;
};

/** Why the key of the batch may not ask this model; undefined when it may. */
export type ModelCheck = (model: string) => string | undefined;

/** Lines of a batch at most, as OpenAI has it. */
export const linesMax = 50_000;
/** Faults that are told; reading ends with the last of them. */
const faultsMax = 50;

function batchError({ code, message, param }: LineFault, line: number | null): BatchError {
  return { code, message, param: param ?? null, line };
}

/** What does not belong to one line. */
function fileError(code: string, message: string): BatchError {
  return { code, message, param: null, line: null };
}

class InputCheck {
  readonly #ports: ValidationPorts;
  readonly #customIds = new Set<string>();
  readonly #modelFaults = new Map<string, string | undefined>();

  constructor(ports: ValidationPorts) {
    this.#ports = ports;
  }

  faultsOf({ content }: InputLine): readonly LineFault[] {
    if (content.kind === 'too_large') {
      return [lineFault('line_too_large', `The line is longer than ${lineBytesMax} bytes.`)];
    }
    if (content.kind !== 'text') {
      return [lineFault('invalid_json_line', 'The line is not valid UTF-8.')];
    }
    const parsed = parseBatchLine(content.text, this.#ports.endpoint);
    if (!parsed.ok) return parsed.error;
    const { customId, model } = parsed.value;
    return [this.#customIdFault(customId), this.#modelFault(model)].filter(
      (fault) => fault !== undefined,
    );
  }

  #customIdFault(customId: string): LineFault | undefined {
    const isNew = !this.#customIds.has(customId);
    this.#customIds.add(customId);
    if (isNew) return undefined;
    const words = `The custom_id ${JSON.stringify(customId.slice(0, 100))} stands on a line before.`;
    return lineFault('duplicate_custom_id', words, 'custom_id');
  }

  #modelFault(model: string): LineFault | undefined {
    if (!this.#modelFaults.has(model)) this.#modelFaults.set(model, this.#ports.modelFault(model));
    const words = this.#modelFaults.get(model);
    return words === undefined ? undefined : lineFault('model_not_found', words, 'body.model');
  }
}

/** The number of lines to ask, or what is wrong; at most 50 faults are told. */
export async function validateInput(
  source: Readable,
  ports: ValidationPorts,
): Promise<Result<number, readonly BatchError[]>> {
  const check = new InputCheck(ports);
  const errors: BatchError[] = [];
  let total = 0;
  for await (const line of inputLines(source, { line: 0, byte: 0 })) {
    total++;
    for (const fault of check.faultsOf(line)) errors.push(batchError(fault, line.line + 1));
    if (total > linesMax) {
      const words = `The file has more than ${linesMax} lines.`;
      return err([...errors.slice(0, faultsMax - 1), fileError('too_many_tasks', words)]);
    }
    if (errors.length >= faultsMax) return err(errors.slice(0, faultsMax));
  }
  if (errors.length > 0) return err(errors);
  return total > 0 ? ok(total) : err([fileError('empty_file', 'The file has no lines.')]);
}
