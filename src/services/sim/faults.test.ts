// Goal: each fault does what it says, to as many requests as it says, and the books tell it.
// Method: set the fault through the control path, then look at the bytes that come back.

import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { type TestContext, test } from 'node:test';
import { z } from 'zod';
import { type SimFace, simFaces } from '../../protocol/sim/faces.ts';
import { FaultPlan } from './fault-plan.ts';
import { chatBody, chatRequest, postJson, setFault, simFor, stateWhen } from './sim-fixture.ts';
import type { RunningSim } from './sim-server.ts';

function chat(sim: RunningSim, members: Readonly<Record<string, unknown>> = {}): Promise<Response> {
  return postJson(`${sim.url}/v1/chat/completions`, chatBody(members));
}

async function vllm(context: TestContext): Promise<RunningSim> {
  return simFor(context, { as: 'vllm' });
}

/** The code with which a request over a fresh connection fails. */
function failureCode(sim: RunningSim, path = '/v1/chat/completions'): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      `${sim.url}${path}`,
      { method: 'POST', agent: false },
      (response) => {
        response.resume();
        response.on('end', () => reject(new Error(`answered ${response.statusCode}`)));
        response.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
      },
    );
    request.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    request.end(JSON.stringify(chatBody()));
  });
}

test('429, 500 and 401 answer the next requests and then no more', async (context) => {
  const sim = await vllm(context);
  for (const [kind, status] of [
    ['429', 429],
    ['500', 500],
    ['401', 401],
  ] as const) {
    await setFault(sim, { kind, count: 2, ...(kind === '429' ? { retry_after: 7 } : {}) });
    const answers = [await chat(sim), await chat(sim), await chat(sim)];
    assert.deepEqual(
      answers.map((answer) => answer.status),
      [status, status, 200],
    );
    assert.equal(answers[0]?.headers.get('retry-after'), kind === '429' ? '7' : null);
    for (const answer of answers) await answer.arrayBuffer();
  }
  const state = sim.stats();
  assert.deepEqual([state.requests_faulted, state.requests_finished], [6, 3]);
});

test('faults strike on every face, each with the envelope of its server', async (context) => {
  const messageOf: Readonly<Record<string, (body: unknown) => unknown>> = {
    flat: (body) => z.object({ error: z.string() }).parse(body).error,
    top: (body) => z.object({ message: z.string() }).parse(body).message,
    nested: (body) =>
      z.object({ error: z.object({ message: z.string() }) }).parse(body).error.message,
  };
  const shapes: ReadonlyMap<SimFace, string> = new Map([
    ['tgi', 'flat'],
    ['sglang', 'top'],
  ]);
  for (const as of simFaces) {
    const sim = await simFor(context, { as });
    const ask = (isStream: boolean): Promise<Response> => chatRequest(sim, as, isStream);
    await setFault(sim, { kind: '500', count: 1 });
    const failed = await ask(false);
    assert.equal(failed.status, 500, as);
    const message = messageOf[shapes.get(as) ?? 'nested'];
    assert.equal(message?.(await failed.json()), 'Simulated internal error', as);
    await setFault(sim, { kind: 'cut_stream', count: 1, after_chunks: 1 });
    await assert.rejects((await ask(true)).text(), as);
    await setFault(sim, { kind: 'invalid_json', count: 1 });
    await assert.rejects((await ask(false)).json(), SyntaxError, as);
    const whole = await ask(false);
    assert.equal(whole.status, 200, as);
    await whole.arrayBuffer();
    assert.deepEqual([sim.stats().requests_faulted, sim.stats().requests_finished], [3, 1], as);
  }
});

test('reset ends the connection without an answer', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'reset', count: 1 });
  assert.equal(await failureCode(sim), 'ECONNRESET');
  assert.equal((await chat(sim)).status, 200);
});

test('bad_headers sends a head that no client may accept', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'bad_headers', count: 1 });
  assert.match(await failureCode(sim), /^HPE_/);
});

test('refuse closes the port for its time and then opens it again', async (context) => {
  const sim = await vllm(context);
  await chat(sim).then((response) => response.text());
  const startedMs = performance.now();
  await setFault(sim, { kind: 'refuse', duration_ms: 600_000 });
  assert.equal(await failureCode(sim), 'ECONNREFUSED');
  await sim.reopen();
  assert.equal((await chat(sim)).status, 200);
  await setFault(sim, { kind: 'refuse', duration_ms: 300 });
  const deadline = Date.now() + 60_000;
  let status = 0;
  while (status !== 200 && Date.now() < deadline) {
    status = await chat(sim).then(
      (response) => response.status,
      () => 0,
    );
  }
  assert.equal(status, 200);
  assert.ok(performance.now() - startedMs >= 295, 'not before its time');
});

test('hang takes the request and never answers, until the client leaves', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'hang', count: 1 });
  const client = new AbortController();
  const url = `${sim.url}/v1/chat/completions`;
  const hung = assert.rejects(postJson(url, chatBody(), client.signal), { name: 'AbortError' });
  const state = await stateWhen(sim, (now) => now.without_first_byte === 1);
  assert.equal(state.running, 0);
  assert.equal((await chat(sim)).status, 200);
  client.abort();
  await hung;
  const after = await stateWhen(sim, (now) => now.without_first_byte === 0);
  assert.equal(after.aborted_total, 1);
});

test('cut_stream ends a stream after so many chunks, without its end', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'cut_stream', count: 1, after_chunks: 2 });
  const response = await chat(sim, { stream: true, max_tokens: 100 });
  let text = '';
  await assert.rejects(async () => {
    const decoder = new TextDecoder();
    for await (const bytes of response.body ?? []) text += decoder.decode(bytes);
  });
  assert.equal(text.split('"content":').length - 1, 3, 'role chunk and two of content');
  assert.ok(!text.includes('[DONE]'));
  const state = await stateWhen(sim, (now) => now.running === 0);
  assert.deepEqual(state.streams, { started: 1, finished: 0, aborted: 0, cut: 1 });
});

test('cut_stream after 0 chunks sends the head and nothing else', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'cut_stream', count: 1, after_chunks: 0 });
  const response = await chat(sim, { stream: true });
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
  assert.deepEqual([sim.stats().streams.started, sim.stats().requests_faulted], [0, 1]);
});

test('cut_stream sends half of an answer that is not a stream', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'cut_stream', count: 1 });
  const response = await chat(sim);
  assert.equal(response.status, 200);
  await assert.rejects(response.text());
});

test('invalid_json is a complete answer that does not parse', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: 'invalid_json', count: 2 });
  await assert.rejects((await chat(sim)).json(), SyntaxError);
  const stream = await (await chat(sim, { stream: true })).text();
  assert.ok(stream.startsWith('data: {'));
  assert.ok(!stream.includes('[DONE]'));
  await setFault(sim, { kind: 'invalid_json', count: 1, paths: ['/v1/models'] });
  await assert.rejects((await fetch(`${sim.url}/v1/models`)).json(), SyntaxError);
});

test('slow takes its factor longer in model time', async (context) => {
  const sim = await simFor(context, { as: 'ollama' });
  const durationOf = async (): Promise<number> => {
    const response = await postJson(
      `${sim.url}/api/chat`,
      chatBody({ stream: false, options: { num_predict: 8 } }),
    );
    return Number(/"total_duration":(\d+)/.exec(await response.text())?.[1]);
  };
  await durationOf(); // Loads the model.
  const first = await durationOf();
  await setFault(sim, { kind: 'slow', count: 1, factor: 5 });
  const slow = await durationOf();
  assert.ok(slow >= 5 * first * 0.99 && slow <= 5 * first * 1.01, `${slow} against ${first}`);
});

test('loading answers 503 everywhere, also to the health probe', async (context) => {
  const sim = await simFor(context, { as: 'llamacpp' });
  await setFault(sim, { kind: 'loading' });
  const health = await fetch(`${sim.url}/health`);
  assert.equal(health.status, 503);
  assert.deepEqual(await health.json(), {
    error: { code: 503, message: 'Loading model', type: 'unavailable_error' },
  });
  assert.equal((await chat(sim)).status, 503);
  await fetch(`${sim.url}/sim/faults`, { method: 'DELETE' });
  assert.equal((await fetch(`${sim.url}/health`)).status, 200);
});

test('a fault without paths leaves probes alone, one with paths strikes only those', async (context) => {
  const sim = await vllm(context);
  await setFault(sim, { kind: '500' });
  assert.equal((await fetch(`${sim.url}/v1/models`)).status, 200);
  assert.equal((await chat(sim)).status, 500);
  await fetch(`${sim.url}/sim/faults`, { method: 'DELETE' });
  await setFault(sim, { kind: '500', paths: ['/health'] });
  assert.equal((await fetch(`${sim.url}/health`)).status, 500);
  assert.equal((await chat(sim)).status, 200);
});

test('the control path refuses what it does not know and what a web page could send', async (context) => {
  const sim = await vllm(context);
  const wrong = await postJson(`${sim.url}/sim/faults`, { kind: 'explode', extra: 1 });
  assert.equal(wrong.status, 400);
  const form = await fetch(`${sim.url}/sim/faults`, { method: 'POST', body: '{"kind":"500"}' });
  assert.equal(form.status, 415);
  assert.equal((await fetch(`${sim.url}/sim/nothing`)).status, 404);
  assert.deepEqual(sim.stats().faults, []);
});

test('faults given at the start hold, counted', async (context) => {
  const sim = await simFor(context, { as: 'vllm', faults: [{ kind: '500', count: 1 }] });
  assert.equal((await chat(sim)).status, 500);
  assert.equal((await chat(sim)).status, 200);
});

test('a chance strikes about as often as it says, the same for the same seed', () => {
  const strikes = (seed: number): boolean[] => {
    const plan = new FaultPlan(seed);
    plan.add({ kind: '500', probability: 0.25 }, 0);
    return Array.from({ length: 2000 }, () => plan.strike('/v1/x', true, 1) !== undefined);
  };
  const share = strikes(7).filter(Boolean).length / 2000;
  assert.ok(share > 0.2 && share < 0.3, `${share}`);
  assert.deepEqual(strikes(7), strikes(7));
  assert.notDeepEqual(strikes(7), strikes(8));
});

test('a fault ends with its time', () => {
  const plan = new FaultPlan(1);
  plan.add({ kind: '500', duration_ms: 100 }, 1000);
  assert.equal(plan.strike('/v1/x', true, 1099)?.kind, '500');
  assert.equal(plan.strike('/v1/x', true, 1100), undefined);
  assert.deepEqual(plan.list(1100), []);
});
