import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { refusal } from '../../errors/tensorforge-error.ts';
import { errorEvent, type SseFault, SseWatcher } from './sse.ts';

function delta(content: string, more = ''): string {
  return `data: {"id":"1","choices":[{"index":0,"delta":{"content":${JSON.stringify(content)}}}]${more}}\n\n`;
}
const role = 'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n';
const usage = '{"prompt_tokens":7,"completion_tokens":3,"total_tokens":10}';
const usageEvent = `data: {"choices":[],"usage":${usage}}\n\n`;
const done = 'data: [DONE]\n\n';

function watch(...texts: readonly string[]): SseWatcher {
  const watcher = new SseWatcher();
  for (const text of texts) watcher.push(Buffer.from(text));
  return watcher;
}

function answers(watcher: SseWatcher): unknown {
  const { firstContent, failed, fault, dataEvents, atEventBorder } = watcher;
  const facts = { firstContent, failed, fault, dataEvents, atEventBorder };
  return { ...facts, done: watcher.done, usage: watcher.usage() };
}

describe('the watcher sees', () => {
  it('a whole stream', () => {
    const watcher = watch(role, delta('Hel'), delta('lo'), usageEvent, done);
    assert.deepEqual(answers(watcher), {
      firstContent: true,
      done: true,
      failed: false,
      fault: undefined,
      dataEvents: 4,
      atEventBorder: true,
      usage: { kind: 'usage', promptTokens: 7, completionTokens: 3 },
    });
  });

  it('the first content, which a role, a comment and an empty delta are not', () => {
    for (const empty of [
      role,
      ': ping\n\n',
      delta(''),
      'event: ping\n\n',
      usageEvent,
      done,
      '\n',
    ]) {
      assert.equal(watch(empty).firstContent, false, empty);
    }
    const contents = [
      delta('a'),
      'data:{"choices":[{"text":"a"}]}\n\n',
      'data: {"choices":[{"delta":{"reasoning_content":"a"}}]}\n\n',
      'data: {"choices":[{"delta":{"tool_calls":[{"index":0}]}}]}\n\n',
      'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n',
      'event: response.output_text.delta\ndata: {"type":"response.output_text.delta"}\n\n',
      'data: {"some":"thing"}\n\n',
      ': ping\ndata: {"choices":[{"text":"a"}]}\nid: 5\n\n',
    ];
    for (const content of contents) assert.equal(watch(content).firstContent, true, content);
  });

  it('case 225: a flood of comments as no content', () => {
    const watcher = new SseWatcher();
    for (let at = 0; at < 5000; at += 1) {
      assert.equal(watcher.push(Buffer.from(': keep-alive\n\n'.repeat(20))), undefined);
    }
    assert.deepEqual([watcher.firstContent, watcher.dataEvents], [false, 0]);
  });

  it('the end mark only as an event of its own', () => {
    assert.equal(watch('data:[DONE]\n\n').done, true);
    assert.equal(watch(done.replaceAll('\n', '\r\n')).done, true);
    assert.equal(watch(delta('data: [DONE]\n\n')).done, false);
    assert.equal(watch('data: [DONE]\n').done, false);
    assert.equal(watch('data: [DONE] \n\n').done, false);
    assert.equal(watch('event: response.completed\ndata: {}\n\n').done, true);
    assert.equal(watch('data: {"type":"response.completed","response":{}}\n\n').done, true);
    assert.equal(watch('data: {"type": "response.failed"}\n\n').done, true);
    assert.equal(watch('data: {"type":"response.completed_part"}\n\n').done, false);
  });

  it('an error event', () => {
    assert.equal(watch('data: {"error":{"message":"x"}}\n\n').failed, true);
    assert.equal(watch('event: error\ndata: {}\n\n').failed, true);
    assert.equal(watch(delta('{"error"')).failed, false);
  });

  it('as an error what is no JSON before any content, and leaves it alone behind', () => {
    for (const broken of ['data: {"choices":[{"del\n\n', 'data: text\n\n']) {
      const first = watch(role, broken);
      assert.deepEqual([first.failed, first.firstContent], [true, false]);
      assert.equal(watch(delta('a'), broken).failed, false);
    }
  });

  it('usage of the last event that has any, also beside null and in the Responses API', () => {
    const nulls = delta('a', ',"usage":null');
    assert.equal(watch(nulls, nulls).usage().kind, 'absent');
    assert.equal(watch(nulls, usageEvent, done).usage().kind, 'usage');
    const text = delta(`"usage": ${usage}`);
    assert.equal(watch(text).usage().kind, 'absent');
    const completed = `event: response.completed\ndata: {"response":{"usage":{"input_tokens":1,"output_tokens":2}}}\n\n`;
    assert.deepEqual(watch(completed).usage(), {
      kind: 'usage',
      promptTokens: 1,
      completionTokens: 2,
    });
  });

  for (const bad of ['-1', '"7"', '1152921504606846976', '1.5', 'null', '1e300', '[7]']) {
    it(`case 223: a usage of ${bad} as rejected`, () => {
      const event = usageEvent.replace(':7,', `:${bad},`);
      assert.equal(watch(event).usage().kind, 'rejected');
    });
  }
});

describe('case 224: the watcher faults', () => {
  const mib = 1024 * 1024;
  const expected: readonly (readonly [string, readonly string[], SseFault])[] = [
    ['an event above 1 MiB', [delta('a'.repeat(mib))], 'event_too_large'],
    ['an endless line', Array.from({ length: 70 }, () => 'a'.repeat(16_384)), 'event_too_large'],
    [
      'endless comment lines',
      Array.from({ length: 70 }, () => ': a\n'.repeat(4096)),
      'event_too_large',
    ],
    ['CR only', ['data: a\r\r'], 'bare_carriage_return'],
    ['CR only across chunks', ['data: a\r', 'data: b'], 'bare_carriage_return'],
    ['NUL', ['data: \0\n\n'], 'nul_byte'],
  ];
  for (const [name, texts, fault] of expected) {
    it(`at ${name}, once and for all`, () => {
      const watcher = watch(...texts, delta('a'), done);
      assert.deepEqual([watcher.fault, watcher.done], [fault, false]);
      assert.equal(watcher.push(Buffer.from(done)), fault);
    });
  }

  it('not at an event of 1 MiB, however it is cut', () => {
    const event = `data: ${'a'.repeat(mib - 6)}`;
    for (const cut of [1, 5, 1000, event.length - 1, event.length, event.length + 1]) {
      const text = `${event}\n\n`;
      const watcher = watch(text.slice(0, cut), text.slice(cut));
      assert.deepEqual([watcher.fault, watcher.dataEvents], [undefined, 1]);
      const longer = `data: b${text.slice(6)}`;
      assert.equal(watch(longer.slice(0, cut), longer.slice(cut)).fault, 'event_too_large');
    }
  });

  it('and an endless line in small pieces costs no more than its length', () => {
    const watcher = new SseWatcher();
    const piece = Buffer.alloc(200, 0x61);
    const start = performance.now();
    while (watcher.push(piece) === undefined);
    assert.ok(performance.now() - start < 500);
  });
});

it('every split of the same bytes gives the same answers', () => {
  const events = fc.constantFrom(
    role,
    delta('a'),
    delta('é"usage"'),
    delta('b', ',"usage":null'),
    usageEvent,
    usageEvent.replace('7', '-7'),
    done,
    ': ping\n\n',
    ': ping\n',
    '\n',
    'data: x\r\n\r\n',
    'data: y\n\r\n',
    'event: response.completed\ndata: {}\ndata: {}\n\n',
    'data: {"error":{}}\n\n',
    'data',
    'id: 5\n\n',
    '\r\n',
  );
  const stream = fc.array(events, { maxLength: 10 }).map((list) => Buffer.from(list.join('')));
  const cuts = fc.array(fc.nat(400), { maxLength: 12 });
  fc.assert(
    fc.property(stream, cuts, (bytes, at) => {
      const whole = new SseWatcher();
      whole.push(bytes);
      const split = new SseWatcher();
      let from = 0;
      for (const to of [
        ...at.filter((cut) => cut < bytes.length).sort((a, b) => a - b),
        bytes.length,
      ]) {
        split.push(bytes.subarray(from, to));
        from = to;
      }
      assert.deepEqual(answers(split), answers(whole));
      const single = new SseWatcher();
      for (const byte of bytes) single.push(Buffer.of(byte));
      assert.deepEqual(answers(single), answers(whole));
    }),
    { seed: 20_260_113, numRuns: 3000 },
  );
});

it('an error event is one event and the end mark, whatever the message holds', () => {
  const text = errorEvent(refusal('bad_gateway', 'The backend\n\ndata: broke\r off.'));
  const watcher = watch(text);
  assert.deepEqual([watcher.dataEvents, watcher.done, watcher.failed], [1, true, true]);
  assert.match(text, /^data: \{"error":\{.*\}\}\n\ndata: \[DONE\]\n\n$/);
});
