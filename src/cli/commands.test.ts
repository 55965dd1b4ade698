// Goal: every command that talks to an installation does what it says and prints it for each reader.
// Method: the program in this process, and for what a caller sees of a process the real program as a
// process, against a real HTTP server that speaks the schemas.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import {
  backendFixture,
  ControlServer,
  decisionFixture,
  fixtureKey,
  keyFixture,
} from './testing/control-server.ts';
import { type RunOptions, runCli } from './testing/run-cli.ts';

const server = new ControlServer();
const folder = mkdtempSync(join(tmpdir(), 'tensorforge-cli-'));
let url = '';

before(async () => {
  url = await server.listen();
});
after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.backends.clear();
  server.keys.clear();
  server.overrides.clear();
  server.seen.length = 0;
  server.credentials.length = 0;
  for (const view of [
    backendFixture(),
    backendFixture({
      id: 'box-2',
      name: 'evil\u001b[2J\tname',
      url: 'http://10.0.0.2:8000',
      status: 'unhealthy',
      routable: false,
      first_byte_ms: null,
      avg_latency_ms: 0,
      status_words: 'refuses connections (9 probes)',
    }),
  ]) {
    server.backends.set(view.id, view);
  }
  server.keys.set('key_abcdefghijkl', keyFixture());
});

function cli(args: readonly string[], options: RunOptions = {}) {
  return runCli(args, {
    ...options,
    cwd: folder,
    env: {
      TENSORFORGE_URL: url,
      TENSORFORGE_API_KEY: fixtureKey,
      TENSORFORGE_DATA_DIR: folder,
      ...options.env,
    },
  });
}

function selfSigned(): { readonly key: Buffer; readonly cert: Buffer } {
  const [key, cert] = [join(folder, 'tls.key'), join(folder, 'tls.crt')];
  const names = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const args = ['req', '-x509', '-days', '2', ...curve, '-keyout', key, '-out', cert, ...names];
  execFileSync('openssl', args, { stdio: 'ignore' });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

test('in a pipe a list is tab-separated with units in its header and nothing cut', async () => {
  const { code, out, err } = await cli(['backends', 'list'], { start: 'main' });
  assert.equal(code, 0, err);
  const lines = out
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  assert.deepEqual(lines[0]?.slice(0, 9), [
    'status',
    'id',
    'type',
    'pending_requests',
    'latency_ms',
    'waiting',
    'kv_use',
    'models',
    'status_since',
  ]);
  assert.deepEqual(lines[1]?.slice(0, 5), ['healthy', 'box-1', 'ollama', '3', '212']);
  assert.equal(lines[2]?.[4], '', 'a latency that was never measured is empty, not 0');
  assert.equal(lines.length, 3);
  assert.ok(lines.every((line) => line.length === lines[0]?.length));
  assert.doesNotMatch(out, /\u001b/);
});

test('--json prints the one answer of the API, --quiet the ids, and a bare noun lists', async () => {
  const [json, quiet, bare, singular] = await Promise.all([
    cli(['backends', 'list', '--json']),
    cli(['--quiet', 'backends', 'ls']),
    cli(['backends', '--quiet']),
    cli(['backend', '--quiet']),
  ]);
  const value: unknown = JSON.parse(json.out);
  assert.deepEqual(value, {
    count: 2,
    summary: '1 of 2 take new requests.',
    backends: [...server.backends.values()],
  });
  for (const ran of [quiet, bare, singular]) assert.equal(ran.out, 'box-1\nbox-2\n');
});

test('an empty list is an empty array, and a header alone in a pipe', async () => {
  server.backends.clear();
  const [json, pipe, quiet] = await Promise.all([
    cli(['backends', '--json']),
    cli(['backends']),
    cli(['backends', '--quiet']),
  ]);
  assert.match(json.out, /"backends":\[\]/);
  assert.equal(pipe.out.split('\n').length, 2);
  assert.equal(quiet.out, '');
});

test('a backend is found by id, name or a prefix that only one has', async () => {
  for (const word of ['box-1', 'Box 1']) {
    const { code, out } = await cli(['backends', 'show', word, '--quiet']);
    assert.deepEqual([code, out], [0, 'box-1\n'], word);
  }
  const ambiguous = await cli(['backends', 'show', 'box-']);
  assert.equal(ambiguous.code, 1);
  assert.match(ambiguous.err, /could be any of box-1, box-2/);
  const unknown = await cli(['backends', 'show', 'bx-1']);
  assert.equal(unknown.code, 1);
  assert.match(unknown.err, /^error {2}backend_not_found: .*\n {2}do {3}did you mean box-1\?/);
});

test('backends add sends what was asked and prints what came of it', async () => {
  const added = await cli([
    'backends',
    'add',
    'http://10.0.0.9:1',
    '--name',
    'nine',
    '--tier',
    '3',
    '--quiet',
  ]);
  assert.deepEqual([added.code, added.out], [0, 'nine\n'], added.err);
  const sent = server.seen.find((one) => one.method === 'POST');
  assert.deepEqual(sent?.body, { url: 'http://10.0.0.9:1', name: 'nine', tier: 3 });
  const again = await cli(['backends', 'add', 'http://10.0.0.9:1']);
  assert.equal(again.code, 1);
  assert.match(again.err, /duplicate_backend: nine already has this address/);
  const bad = await cli(['backends', 'add', 'http://x', '--type', 'olama']);
  assert.equal(bad.code, 2);
});

test('drain, resume, approve, probe and remove reach their routes', async () => {
  for (const verb of ['drain', 'resume', 'approve', 'probe']) {
    const { code, err } = await cli(['backends', verb, 'box-1']);
    assert.equal(code, 0, err);
    assert.ok(
      server.seen.some((one) => one.path === `/api/v1/backends/box-1/${verb}`),
      verb,
    );
  }
  const removed = await cli(['backends', 'rm', 'box-1', '--json']);
  assert.deepEqual(JSON.parse(removed.out), { removed: 'box-1' });
  assert.equal(server.backends.has('box-1'), false);
});

test('keys create shows the secret once: with the facts, alone for a script, or as JSON', async () => {
  const secret = 'tfk_abcdefghijkl_secret_check0';
  const pipe = await cli([
    'keys',
    'create',
    '--name',
    'ci',
    '--models',
    'llama*',
    '--never-expires',
  ]);
  assert.equal(pipe.out, `id\tname\texpires_at\tsecret\nkey_abcdefghijkl\tci\t\t${secret}\n`);
  assert.deepEqual(server.seen.at(-1)?.body, {
    name: 'ci',
    models: ['llama*'],
    expires_in_days: null,
  });
  const quiet = await cli(['keys', 'create', '--name', 'ci', '--quiet']);
  assert.equal(quiet.out, `${secret}\n`);
  const admin = await cli(['keys', 'create', '--name', 'ops', '--admin', '--json']);
  assert.match(admin.out, /"users:admin"/);
  const bad = await cli(['keys', 'create', '--name', 'x', '--permission', 'all']);
  assert.equal(bad.code, 2);
  assert.match(bad.err, /--permission/);
});

test('keys list, show and revoke', async () => {
  const list = await cli(['keys']);
  assert.match(list.out, /^state\tid\tname\t.*\nactive\tkey_abcdefghijkl\tci\t/);
  assert.equal((await cli(['keys', 'revoke', 'key_abcdefghijkl'])).code, 0);
  const show = await cli(['key', 'show', 'key_abcdefghijkl']);
  assert.match(show.out, /\nrevoked\tkey_abcdefghijkl/);
  const unknown = await cli(['keys', 'show', 'key_x', '--json']);
  assert.equal(unknown.code, 1);
  assert.equal(JSON.parse(unknown.out).code, 'key_not_found');
});

test('models list has a line for each backend, and --quiet each model once', async () => {
  const pipe = await cli(['models', 'list']);
  assert.equal(pipe.out.split('\n')[0], 'id\tbackend\tcontext_length_tokens\tcapabilities');
  assert.equal(pipe.out.trimEnd().split('\n').length, 4);
  assert.equal((await cli(['models', '--quiet'])).out, 'llama3:8b\nqwen3:4b\n');
});

test('status prints health for a pipe, as JSON and as one word', async () => {
  const [pipe, json, quiet] = await Promise.all([
    cli(['status']),
    cli(['status', '--json']),
    cli(['status', '--quiet']),
  ]);
  assert.match(pipe.out, /^status\tstate\turl\tpid\t.*\ndegraded\tactive\thttp/);
  assert.equal(JSON.parse(json.out).health.backends.total, 2);
  assert.equal(quiet.out, 'degraded\n');
});

test('explain prints the candidates: the chosen one, the beaten, the excluded', async () => {
  const { code, out, err } = await cli(['explain', 'request', 'req-1']);
  assert.equal(code, 0, err);
  const rows = out
    .trimEnd()
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  assert.deepEqual(
    rows.map((row) => row.slice(0, 3)),
    [
      ['went_to', 'box-1', '8720'],
      ['lost', 'box-2', '8900'],
      ['not_to', 'box-3', ''],
    ],
  );
  assert.equal(rows[2]?.[4], 'shorten the prompt');
  const last = await cli(['explain', 'request', 'last', '--json']);
  assert.deepEqual(JSON.parse(last.out), decisionFixture);
  const backend = await cli(['explain', 'backend', 'box-2']);
  const gates = backend.out.trim().split('\n');
  assert.equal(gates[0], 'gate\tstate\twords\tremedy');
  assert.match(gates[2] ?? '', /^health\tclosed\tunhealthy for 4 m: .*\tstart it, then/);
  const all = JSON.parse((await cli(['explain', 'backend', 'box-2', '--json'])).out);
  assert.equal(all.probe_words, '9 failed in a row, next probe in 41 s');
});

test('config show and reload ask the installation', async () => {
  const show = await cli(['config', 'show']);
  assert.match(show.out, /server\.port\t8120\tdefault\n/);
  const reload = await cli(['config', 'reload']);
  assert.match(reload.out, /in force: routing\.strategy\n.*next start: server\.port/);
});

test('a refused configuration ends with 1 and its faults, a reasoned refusal with 4', async () => {
  const fault = { path: 'server.port', value: '-1', expected: 'an integer', source: 'file' };
  const path = '/api/v1/config/reload';
  const body = { msg: 'The configuration has 1 fault.', code: 'config_invalid', details: [fault] };
  server.overrides.set(path, { status: 422, body });
  const refused = await cli(['config', 'reload']);
  assert.equal(refused.code, 1);
  assert.match(refused.err, /config_invalid.*\n {2}- {4}server\.port is -1; expected an integer\./);
  server.overrides.set(path, {
    status: 422,
    body: { msg: 'no', code: 'policy_invalid', details: ['x'] },
  });
  assert.equal((await cli(['config', 'reload'])).code, 4);
});

test('credentials that are refused end with 77 and say where the key comes from', async () => {
  for (const env of [{ TENSORFORGE_API_KEY: 'tfk_wrong' }, { TENSORFORGE_API_KEY: '' }]) {
    const { code, err } = await cli(['backends'], { env });
    assert.equal(code, 77);
    assert.match(err, /^error {2}invalid_api_key: .*\n {2}do {3}set TENSORFORGE_API_KEY/);
  }
  const body = { msg: 'no', code: 'permission_denied' };
  server.overrides.set('/api/v1/backends', { status: 403, body });
  assert.equal((await cli(['backends'])).code, 77);
});

test('an installation that is away ends with 69, as JSON in the control envelope', async () => {
  const env = { TENSORFORGE_URL: 'http://127.0.0.1:1' };
  const [text, json] = await Promise.all([
    cli(['status'], { env, start: 'main' }),
    cli(['status', '--json'], { env, start: 'main' }),
  ]);
  assert.equal(text.code, 69);
  assert.match(text.err, /^error {2}service_away: .*\n {2}do {3}start it: tensorforge up/);
  assert.equal(json.code, 69);
  assert.equal(json.err, '');
  assert.deepEqual(Object.keys(JSON.parse(json.out)).sort(), ['code', 'msg', 'remedy']);
  server.overrides.set('/health', { status: 503, body: { msg: 'starting', code: 'starting' } });
  assert.equal((await cli(['status'])).code, 69);
});

test('an answer of something else than TensorForge is said to be that', async () => {
  server.overrides.set('/api/v1/backends', { status: 200, body: { hello: 'world' } });
  const wrong = await cli(['backends']);
  assert.equal(wrong.code, 1);
  assert.match(wrong.err, /unexpected_answer/);
});

test('the admin key of the data directory is used, but only when nobody else can read it', async () => {
  const file = join(folder, 'admin.key');
  const env = { TENSORFORGE_API_KEY: '' };
  writeFileSync(file, `${fixtureKey}\n`);
  chmodSync(file, 0o600);
  assert.equal((await cli(['backends'], { env })).code, 0);
  chmodSync(file, 0o644);
  const open = await cli(['backends'], { env });
  rmSync(file);
  assert.equal(open.code, 1);
  assert.match(open.err, /insecure_file.*\n {2}do {3}chmod 600/);
});

test('the admin key is never sent to another machine', async () => {
  const { findKey } = await import('./client.ts');
  const { createContext } = await import('./context.ts');
  const file = join(folder, 'admin.key');
  writeFileSync(file, fixtureKey, { mode: 0o600 });
  const context = createContext({ dataDir: folder }, {});
  const remote = { url: new URL('http://203.0.113.9:8120'), holder: undefined };
  assert.equal(findKey(context, { ...remote, isLocal: false }), undefined);
  assert.equal(findKey(context, { ...remote, isLocal: true })?.reveal(), fixtureKey);
  rmSync(file);
});

test('doctor lists what it checked, names NEXUS variables, and exits 1 when something is wrong', async () => {
  const good = await cli(['doctor', '--json'], { start: 'fixture', env: { NEXUS_PORT: '1' } });
  assert.equal(good.code, 0, good.out);
  const { ok, checks } = JSON.parse(good.out);
  assert.equal(ok, true);
  const names = checks.map((check: { readonly name: string }) => check.name);
  for (const name of [
    'node',
    'data directory',
    'disk',
    'variables',
    'configuration',
    'port',
    'database',
    'gpu',
    'backends',
  ]) {
    assert.ok(names.includes(name), name);
  }
  assert.match(good.out, /NEXUS_PORT is not read by TensorForge/);
  assert.match(good.out, /box-2: refuses connections/);
  const bad = await cli(['doctor'], { start: 'fixture', env: { TENSORFORGE_LOG_LEVEL: 'loud' } });
  assert.equal(bad.code, 1);
  assert.match(bad.out, /bad\tconfiguration\tlogging\.level is loud/);
});

test('doctor sees a port that another program holds, and one that is no TensorForge', async () => {
  const port = new URL(url).port;
  const env = { TENSORFORGE_URL: '', TENSORFORGE_PORT: port, TENSORFORGE_DISCOVERY: 'off' };
  const held = await cli(['doctor'], { start: 'fixture', env });
  assert.equal(held.code, 1);
  assert.match(held.out, new RegExp(`bad\\tport\\tanother program listens on 127.0.0.1:${port}`));
  server.overrides.set('/health', { status: 200, body: { status: 'UP' } });
  const foreign = await cli(['doctor'], { start: 'fixture' });
  assert.equal(foreign.code, 1);
  assert.match(foreign.out, /bad\tport\tsomething that is not TensorForge/);
});

test('a simulated backend says so, and a removal says how to undo it or that the file has it', async () => {
  server.backends.set('sim', backendFixture({ id: 'sim', simulated: true }));
  const piped = await cli(['backends', 'list']);
  const [header = [], ...rows] = piped.out.split('\n').map((line) => line.split('\t'));
  const at = header.indexOf('simulated');
  assert.deepEqual(
    rows.slice(0, 3).map((row) => row[at]),
    ['false', 'false', 'true'],
  );
  server.backends.set(
    'mine',
    backendFixture({ id: 'mine', name: "it's 1", discovery_source: 'manual' }),
  );
  const undo = await cli(['backends', 'remove', 'mine']);
  assert.match(undo.err, /backends add http\S+ --name 'it'\\''s 1' --type ollama$/m);
  server.backends.set('file', backendFixture({ id: 'file', discovery_source: 'static' }));
  const kept = await cli(['backends', 'remove', 'file']);
  assert.match(kept.err, /configuration file, which brings it back/);
});

test('words that explain a credential stay readable, a credential does not', async () => {
  const words = 'Send "Authorization: Bearer tfk_..." or tfk_abcdefghijkl_secret_check0';
  server.overrides.set('/health', { status: 401, body: { msg: words, code: 'invalid_api_key' } });
  const { err } = await cli(['status']);
  assert.match(err, /Bearer tfk_\.\.\." or tfk_\[redacted\]/);
});

test('config check is the remedy for faults of the configuration only', async () => {
  const body = { msg: 'port 1 is in use', code: 'config_invalid' };
  server.overrides.set('/api/v1/config/reload', { status: 422, body });
  assert.doesNotMatch((await cli(['config', 'reload'])).err, /config check/);
});

test('a certificate that is not trusted names the variable that helps', async () => {
  const { exchange } = await import('./client.ts');
  const tls = await import('node:https');
  const { key, cert } = selfSigned();
  const secure = tls.createServer({ key, cert }, (_, response) => response.end('{}'));
  await new Promise<void>((resolve) => secure.listen(0, '127.0.0.1', resolve));
  const address = secure.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const call = { method: 'GET', path: '/health' } as const;
  await assert.rejects(exchange(new URL(`https://127.0.0.1:${port}`), undefined, call), {
    code: 'certificate_untrusted',
    remedy: /NODE_EXTRA_CA_CERTS/,
  });
  const env = { TENSORFORGE_URL: `https://127.0.0.1:${port}` };
  const doctor = await cli(['doctor'], { start: 'fixture', env });
  assert.match(doctor.out, /bad\tport\t.*not trusted.*NODE_EXTRA_CA_CERTS/);
  await new Promise((resolve) => secure.close(resolve));
});
