// What a model said in an answer, as one text: contents, calls of tools, answers of several choices one
// after the other. To compare two answers, never to show or to keep them.

/** A member of an object, undefined for anything else. */
function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** `content` is a text, or a list of parts of which some have one. */
function contentText(content: unknown): string {
  if (typeof content === 'string') return content;
  return list(content)
    .map((part) => text(member(part, 'text')))
    .join('');
}

/** The name and the arguments of each call. */
function callsText(calls: unknown): string {
  return list(calls)
    .map((call) => member(call, 'function'))
    .map((called) => text(member(called, 'name')) + text(member(called, 'arguments')))
    .join('');
}

function messageText(message: unknown): string {
  return contentText(member(message, 'content')) + callsText(member(message, 'tool_calls'));
}

/** Of a whole chat, completion or response, or of one event of a stream of them. */
export function textOfAnswer(answer: unknown): string {
  const choices = list(member(answer, 'choices')).map(
    (choice) =>
      text(member(choice, 'text')) +
      messageText(member(choice, 'message')) +
      messageText(member(choice, 'delta')),
  );
  const output = list(member(answer, 'output')).map(
    (item) => contentText(member(item, 'content')) + text(member(item, 'arguments')),
  );
  const isDelta = /\.delta$/.test(text(member(answer, 'type')));
  return [...choices, ...output, isDelta ? text(member(answer, 'delta')) : ''].join('');
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Of the events of a stream; what is no JSON says nothing. */
export function textOfStream(events: string): string {
  let said = '';
  for (const line of events.split('\n')) {
    if (line.startsWith('data:')) said += textOfAnswer(parsed(line.slice(5)));
  }
  return said;
}
