// Goal: the official client uploads files and runs batches; each line is answered exactly once, over a
// crash in the middle as well; and what is wrong with a file, a line or a key is told where OpenAI tells it.
// Method: backends that answer when the test says so, and one product that is killed once.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import OpenAI, { APIError, toFile } from 'openai';
import {
  type Asked,
  createKey,
  errorOf,
  jsonAnswer,
  type ModelScript,
  metricsOf,
  plainAnswer,
  remove,
  startModelScript,
  until,
} from '../support/inference.ts';
import { freePort, type Product, runCommand, startProduct } from '../support/product.ts';

const home = mkdtempSync(join(tmpdir(), 'tf-batches-'));
const endpoint = '/v1/chat/completions';
let product: Product;
let client: OpenAI;
const scripts: ModelScript[] = [];
/** What each backend was asked and has not answered. */
const open = new Map<string, Asked[]>();

async function backend(model: string) {
  const asked: Asked[] = [];
  open.set(model, asked);
  const script = await startModelScript([model], (one) => asked.push(one));
  scripts.push(script);
  return { name: model, url: script.url, type: 'generic' };
}

function clientWith(apiKey: string): OpenAI {
  return new OpenAI({ baseURL: `${product.url}/v1`, apiKey, maxRetries: 0 });
}

let options: NonNullable<Parameters<typeof startProduct>[0]>;

async function start(): Promise<void> {
  product = await startProduct(options);
  client = clientWith(product.adminKey);
}

before(async () => {
  const models = ['crashed', 'stopped', 'revoked', 'mixed'];
  options = {
    sims: [],
    backends: await Promise.all(models.map(backend)),
    dataDirectory: home,
    port: await freePort(),
    config: { limits: { file_bytes: 20_000, group_file_bytes: 60_000 } },
  };
  await start();
});

after(async () => {
  await Promise.all(scripts.map((script) => script.close()));
  await product.stop();
  rmSync(home, { recursive: true, force: true });
});

const labelOf = ({ body }: Asked): string => /"label ([^"]+)"/.exec(body)?.[1] ?? '?';

function line(model: string, label: string, more: Readonly<Record<string, unknown>> = {}): string {
  const messages = [{ role: 'user', content: `label ${label}` }];
  const whole = { custom_id: label, method: 'POST', url: endpoint, body: { model, messages } };
  return JSON.stringify({ ...whole, ...more });
}

async function upload(text: string, as = client): Promise<string> {
  const file = await toFile(Buffer.from(text), 'lines.jsonl');
  return (await as.files.create({ file, purpose: 'batch' })).id;
}

async function batchOf(lines: readonly string[], as = client): Promise<string> {
  const input_file_id = await upload(`${lines.join('\n')}\n`, as);
  const made = await as.batches.create({ input_file_id, endpoint, completion_window: '24h' });
  return made.id;
}

const labelled = (model: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => line(model, `${model}-${i}`));

async function ended(id: string): Promise<OpenAI.Batches.Batch> {
  let batch = await client.batches.retrieve(id);
  const states = ['completed', 'failed', 'expired', 'cancelled'];
  await until(`${id} ends`, async () => {
    batch = await client.batches.retrieve(id);
    return states.includes(batch.status);
  });
  return batch;
}

type OutputLine = {
  readonly custom_id: string;
  readonly response: { readonly status_code: number; readonly body: unknown } | null;
  readonly error: { readonly code: string } | null;
};

async function linesOf(fileId: string | null | undefined): Promise<readonly OutputLine[]> {
  if (fileId === null || fileId === undefined) return [];
  const text = await (await client.files.content(fileId)).text();
  return text
    .trimEnd()
    .split('\n')
    .map((one) => JSON.parse(one));
}

/** Answers the next request of a model. */
async function answerNext(model: string, status = 200, body = plainAnswer): Promise<string> {
  const asked = open.get(model) ?? [];
  await until(`the backend of ${model} is asked`, () => asked.length > 0);
  const one = asked.shift() as Asked;
  one.socket.write(jsonAnswer(status, body));
  return labelOf(one);
}

async function refused(promise: Promise<unknown>): Promise<APIError> {
  const error = await promise.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  assert.ok(error instanceof APIError, `refused, not ${String(error)}`);
  return error;
}

describe('files', () => {
  it('are uploaded, listed, read and deleted', async () => {
    const text = `${line('mixed', 'ä')}\n`;
    const id = await upload(text);
    const file = await client.files.retrieve(id);
    assert.deepEqual(
      [file.object, file.bytes, file.filename, file.purpose],
      ['file', Buffer.byteLength(text), 'lines.jsonl', 'batch'],
    );
    assert.equal(await (await client.files.content(id)).text(), text);
    const listed: string[] = [];
    for await (const one of client.files.list({ limit: 1 })) listed.push(one.id);
    assert.ok(listed.includes(id));
    assert.deepEqual(await client.files.delete(id), { id, object: 'file', deleted: true });
    assert.equal((await refused(client.files.retrieve(id))).status, 404);
    assert.equal((await refused(client.files.content(id))).status, 404);
  });

  it('are refused with what is wrong, and leave nothing behind', async () => {
    const large = await toFile(Buffer.alloc(30_000, 'x'), 'large.jsonl');
    const tooLarge = await refused(client.files.create({ file: large, purpose: 'batch' }));
    assert.deepEqual([tooLarge.status, tooLarge.code], [413, 'payload_too_large']);
    const small = await toFile(Buffer.from('x'), 'small.jsonl');
    const tuned = await refused(client.files.create({ file: small, purpose: 'fine-tune' }));
    assert.deepEqual([tuned.status, tuned.param], [400, 'purpose']);
    const json = await product.json('/v1/files', { method: 'POST', body: '{}' });
    assert.equal(json.status, 415);
    const kept: string[] = [];
    for (let i = 0; i < 3; i++) kept.push(await upload('x'.repeat(18_000)));
    const full = await refused(upload('x'.repeat(18_000)));
    assert.deepEqual([full.status, full.code], [403, 'quota_exceeded']);
    for (const id of kept) await client.files.delete(id);
    const reader = await createKey(product, { name: 'r', permissions: ['inference:use'] });
    const denied = await refused(clientWith(reader.secret).files.list().then());
    assert.equal(denied.status, 403);
  });
});

describe('batches', () => {
  it('answer each line exactly once, over a crash in the middle', async () => {
    const id = await batchOf(labelled('crashed', 6));
    const written = [await answerNext('crashed'), await answerNext('crashed')];
    await until('two lines are written', async () => {
      return (await client.batches.retrieve(id)).request_counts?.completed === 2;
    });
    const asked = open.get('crashed') ?? [];
    await until('a line is under way', () => asked.length > 0);
    await product.kill();
    asked.length = 0;
    await start();
    for (let i = 0; i < 4; i++) await answerNext('crashed');
    const batch = await ended(id);
    assert.equal(batch.status, 'completed');
    assert.deepEqual(batch.request_counts, { total: 6, completed: 6, failed: 0 });
    assert.equal(batch.error_file_id, null);
    const output = await linesOf(batch.output_file_id);
    assert.deepEqual(
      output.map(({ custom_id }) => custom_id),
      labelled('crashed', 6).map((_, i) => `crashed-${i}`),
    );
    for (const { response } of output) {
      assert.deepEqual([response?.status_code, response?.body], [200, JSON.parse(plainAnswer)]);
    }
    const times = (label: string): number =>
      (scripts[0]?.asked ?? []).filter((one) => labelOf(one) === label).length;
    assert.deepEqual(written.map(times), [1, 1]);
  });

  it('are not started with a fault on any line, and tell each of them', async () => {
    const lines = [
      line('mixed', 'a'),
      line('mixed', 'a'),
      line('mixed', 'b', { url: 'http://10.0.0.1/v1/chat/completions' }),
      line('nobody', 'c'),
      '{"custom_id":',
    ];
    const batch = await ended(await batchOf(lines));
    assert.equal(batch.status, 'failed');
    assert.deepEqual(
      batch.errors?.data?.map((error) => [error.line, error.code]),
      [
        [2, 'duplicate_custom_id'],
        [3, 'invalid_url'],
        [4, 'model_not_found'],
        [5, 'invalid_json_line'],
      ],
    );
    const none = await ended(await batchOf(['']));
    assert.deepEqual(
      none.errors?.data?.map(({ code }) => code),
      ['empty_file'],
    );
    const absent = await refused(
      client.batches.create({
        input_file_id: 'file-0',
        endpoint,
        completion_window: '24h',
      }),
    );
    assert.deepEqual([absent.status, absent.param], [400, 'input_file_id']);
  });

  it('put what fails into the error file and go on', async () => {
    const id = await batchOf(labelled('mixed', 3));
    const body = JSON.stringify({ error: { message: 'no', code: 'context_length_exceeded' } });
    const failed = await answerNext('mixed', 400, body);
    await answerNext('mixed');
    await answerNext('mixed');
    const batch = await ended(id);
    assert.deepEqual(batch.request_counts, { total: 3, completed: 2, failed: 1 });
    const errors = await linesOf(batch.error_file_id);
    assert.deepEqual(
      errors.map(({ custom_id, response }) => [custom_id, response?.status_code]),
      [[failed, 400]],
    );
    assert.equal((await linesOf(batch.output_file_id)).length, 2);
  });

  it('are cancelled and keep what was answered', async () => {
    const id = await batchOf(labelled('stopped', 4));
    const first = await answerNext('stopped');
    const asked = open.get('stopped') ?? [];
    await until('the next line is under way', () => asked.length > 0);
    await until('the first is written', async () => {
      return (await client.batches.retrieve(id)).request_counts?.completed === 1;
    });
    const inUse = (await client.batches.retrieve(id)).input_file_id;
    assert.equal((await refused(client.files.delete(inUse))).status, 400);
    const env = { TENSORFORGE_DATA_DIR: product.dataDirectory };
    const shown = await runCommand(['batches', 'cancel', id, '--json'], env);
    assert.equal(JSON.parse(shown.stdout).status, 'cancelling', shown.stderr);
    const batch = await ended(id);
    assert.equal(batch.status, 'cancelled');
    const output = await linesOf(batch.output_file_id);
    assert.deepEqual(
      output.map(({ custom_id }) => custom_id),
      [first],
    );
    assert.equal((await refused(client.batches.cancel(id))).status, 400);
    const listed = await runCommand(['batches', '--json'], env);
    assert.equal(JSON.parse(listed.stdout).batches[0].id, id, listed.stderr);
  });

  it('end with key_revoked when their key does', async () => {
    const key = await createKey(product, {
      name: 'b',
      permissions: ['inference:use', 'inference:batch'],
    });
    const id = await batchOf(labelled('revoked', 3), clientWith(key.secret));
    const asked = open.get('revoked') ?? [];
    await until('a line is under way', () => asked.length > 0);
    await remove(product, `/api/v1/keys/${key.id}`);
    const batch = await ended(id);
    assert.equal(batch.status, 'completed');
    const errors = await linesOf(batch.error_file_id);
    assert.equal(errors.length, 3);
    for (const { error } of errors) assert.equal(error?.code, 'key_revoked');
  });

  it('are told as events and figures', async () => {
    const { body } = await product.json('/api/v1/audit/events?stream=edge&limit=1000');
    const text = JSON.stringify(body);
    for (const kind of ['file_uploaded', 'batch_created', 'batch_state_changed']) {
      assert.ok(text.includes(kind), kind);
    }
    const figures = await metricsOf(product);
    assert.equal(figures.get('tensorforge_batch_lines'), 0);
    const unknown = await product.json('/v1/batches/batch_0');
    assert.equal(unknown.status, 404);
    assert.equal(errorOf(JSON.stringify(unknown.body)).code, 'not_found');
  });
});
