// What `:generateContent` takes (ai.google.dev/api/generate-content), as strictly as the real service:
// names that the message has not are refused. Names may be written in both ways of protocol buffers.

import { err, ok, type Result } from '../../base/result.ts';
import { isJsonObject, type JsonObject, textMember } from './json-body.ts';
import { imageTokens } from './prompt-text.ts';
import { badRequest, type SimRefusal } from './refusals.ts';
import type { Tool } from './tool-call.ts';

export type GoogleRequest = {
  readonly text: string;
  readonly extraTokens: number;
  readonly maxTokens: number | undefined;
  /** The function that must be called. */
  readonly forced: Tool | undefined;
};

const members: ReadonlySet<string> = new Set([
  ...['contents', 'systemInstruction', 'generationConfig', 'safetySettings', 'tools', 'toolConfig'],
  ...['cachedContent', 'model', 'serviceTier', 'store'],
]);

const partKinds: readonly string[] = [
  ...['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'],
  ...['executableCode', 'codeExecutionResult'],
];

type Said = { readonly text: string; readonly extraTokens: number };

export function readGoogleRequest(body: JsonObject): Result<GoogleRequest, SimRefusal> {
  const request = camelNames(body);
  const unknown = Object.keys(request).find((name) => !members.has(name));
  if (unknown !== undefined) {
    return fault(`Invalid JSON payload received. Unknown name "${unknown}": Cannot find field.`);
  }
  const said = readContents(request['contents']);
  if (!said.ok) return said;
  const config = objectOf(request['generationConfig']);
  const maxTokens = config['maxOutputTokens'];
  const isLimit = typeof maxTokens === 'number' && Number.isInteger(maxTokens) && maxTokens >= 1;
  if (maxTokens !== undefined && !isLimit) {
    return fault('* GenerateContentRequest.generation_config.max_output_tokens: must be positive');
  }
  const system = partsOf(objectOf(request['systemInstruction']), 'system_instruction');
  if (!system.ok) return system;
  return ok({
    text: `system\n${system.value.text}\n${said.value.text}`,
    extraTokens: said.value.extraTokens,
    maxTokens: isLimit ? maxTokens : undefined,
    forced: forcedFunction(request),
  });
}

function fault(message: string): Result<never, SimRefusal> {
  return err(badRequest(message));
}

function objectOf(value: unknown): JsonObject {
  return isJsonObject(value) ? camelNames(value) : {};
}

function camelNames(object: JsonObject): JsonObject {
  const camel = (name: string): string =>
    name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [camel(name), value]));
}

function readContents(contents: unknown): Result<Said, SimRefusal> {
  if (!Array.isArray(contents) || contents.length === 0) {
    return fault('* GenerateContentRequest.contents: contents is not specified');
  }
  let text = '';
  let extraTokens = 0;
  for (const [i, entry] of contents.entries()) {
    const content = objectOf(entry);
    const role = content['role'] ?? 'user';
    if (role !== 'user' && role !== 'model' && role !== 'function') {
      return fault('Please use a valid role: user, model.');
    }
    const said = partsOf(content, `contents[${i}]`);
    if (!said.ok) return said;
    text += `${role}\n${said.value.text}\n`;
    extraTokens += said.value.extraTokens;
  }
  return ok({ text, extraTokens });
}

function partsOf(content: JsonObject, place: string): Result<Said, SimRefusal> {
  const parts = content['parts'];
  if (place === 'system_instruction' && parts === undefined)
    return ok({ text: '', extraTokens: 0 });
  if (!Array.isArray(parts) || parts.length === 0) {
    return fault(`* GenerateContentRequest.${place}.parts: contents.parts must not be empty.`);
  }
  let text = '';
  let extraTokens = 0;
  for (const [i, entry] of parts.entries()) {
    const part = objectOf(entry);
    if (!partKinds.some((kind) => part[kind] !== undefined)) {
      const field = `${place}.parts[${i}].data`;
      return fault(
        `* GenerateContentRequest.${field}: required oneof field 'data' must have one initialized field`,
      );
    }
    if (part['inlineData'] !== undefined || part['fileData'] !== undefined) {
      extraTokens += imageTokens;
    } else {
      text += textMember(part, 'text') ?? JSON.stringify(part);
    }
  }
  return ok({ text, extraTokens });
}

/** Mode `ANY` forces a call: the first of the allowed names, or of all. */
function forcedFunction(request: JsonObject): Tool | undefined {
  const config = objectOf(objectOf(request['toolConfig'])['functionCallingConfig']);
  if (config['mode'] !== 'ANY') return undefined;
  const tools: readonly unknown[] = Array.isArray(request['tools']) ? request['tools'] : [];
  const functions = tools.flatMap((tool): readonly unknown[] => {
    const declared = objectOf(tool)['functionDeclarations'];
    return Array.isArray(declared) ? declared : [];
  });
  const allowed = config['allowedFunctionNames'];
  for (const entry of functions) {
    const declared = objectOf(entry);
    const name = textMember(declared, 'name');
    if (name === undefined || (Array.isArray(allowed) && !allowed.includes(name))) continue;
    return { name, schema: declared['parameters'] ?? declared['parametersJsonSchema'] };
  }
  return undefined;
}
