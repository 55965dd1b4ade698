// Goal: each option can be set from each source and the stronger source wins; whatever is wrong is
// told, all at once, without showing a secret. Method: the table itself is walked, so a new option
// is covered without a new test; the rest are cases.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../base/secret.ts';
import { type ConfigurationFault, configurationError, describeFault } from './fault.ts';
import { type Loaded, type LoadInput, loadConfiguration } from './load.ts';
import { type ListedOption, listOptions } from './options.ts';
import { isReservedVariable, reservedVariables } from './variables.ts';

function load(input: Partial<LoadInput> = {}) {
  return loadConfiguration({ env: {}, flags: {}, ...input });
}

function loaded(input: Partial<LoadInput> = {}): Loaded {
  const outcome = load(input);
  if (!outcome.ok) assert.fail(outcome.error.map(describeFault).join('\n'));
  return outcome.value;
}

function faults(input: Partial<LoadInput>): ConfigurationFault[] {
  const outcome = load(input);
  assert.equal(outcome.ok, false, 'the configuration was accepted');
  return outcome.ok ? [] : outcome.error;
}

function optionValue(result: Loaded, listed: ListedOption): unknown {
  const value = listed.members.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined),
    result.config,
  );
  return value instanceof Secret ? value.reveal() : value;
}

/** Two good texts for an option, neither its default nor against a rule between options. */
function samples(listed: ListedOption): readonly [string, string] {
  const special: Readonly<Record<string, readonly [string, string]>> = {
    'server.host': ['127.0.0.2', 'localhost'],
    'server.tls_min_version': ['1.3', '1.2'],
    'server.connections': ['2000', '3000'],
    'server.connections_per_address': ['100', '200'],
    'server.allowed_hosts': ['a.example', 'b.example,c.example:8443'],
    'server.trusted_proxies': ['10.0.0.0/8', '::1'],
    'health_check.timeout_seconds': ['4', '6'],
    'health_check.interval_seconds': ['20', '40'],
    'discovery.hosts': ['10.0.0.1', 'box.example'],
    'discovery.ports': ['11434', '8000,8001'],
    'discovery.mdns.services': ['_one._tcp.local', '_two._tcp.local,_three._udp'],
    'discovery.mdns.interface': ['127.0.0.1', '10.0.0.2,10.0.0.3'],
    'routing.strategy': ['random', 'round_robin'],
    'logging.level': ['debug', 'warn'],
    'logging.format': ['json', 'pretty'],
    'database.url': ['postgres://u:one@h/db', 'postgresql://u:two@h/db'],
    simulate: ['true', 'false'],
    'policy.objective': ['0.9', '0.95'],
    'decisions.on_full': ['drop', 'refuse'],
    'budget.monthly_limit_usd': ['0.5', '1000'],
    'budget.hard_limit_action': ['block_cloud', 'block_all'],
  };
  const known = special[listed.path];
  if (known !== undefined) return known;
  if (listed.option.isSwitch) return ['true', 'false'];
  const range = /^an integer from (-?\d+) to (\d+)$/.exec(listed.option.expected);
  const span = /^a number from (\S+) to (\S+)$/.exec(listed.option.expected);
  if (span !== null) return [span[1] ?? '', String(Number(span[1]) + 0.5)];
  if (range === null) return ['/one', '/two'];
  return [range[1] ?? '', String(Number(range[1]) + 1)];
}

/** The options that a rule ties to this one, set so that the rule holds. */
function companions(path: string): Record<string, string> {
  const tls = { 'server.tls_cert': '/cert', 'server.tls_key': '/key' };
  if (path.startsWith('server.tls_c') || path.startsWith('server.tls_k')) return tls;
  if (path === 'server.connections') return { 'server.connections_per_address': '1' };
  if (path === 'health_check.interval_seconds') return { 'health_check.timeout_seconds': '1' };
  const weights = { priority: '0', load: '0', latency: '100' };
  if (!path.startsWith('routing.weights.')) return {};
  return Object.fromEntries(
    Object.entries(weights).map(([name, value]) => [`routing.weights.${name}`, value]),
  );
}

function yamlOf(path: string, text: string, listed: ListedOption): string {
  const isText = typeof listed.option.fromText?.(text) === 'string';
  const value = JSON.stringify(isText ? text : listed.option.fromText?.(text));
  return path
    .split('.')
    .map(
      (step, depth, all) =>
        `${'  '.repeat(depth)}${step}:${depth + 1 < all.length ? '' : ` ${value}`}`,
    )
    .join('\n');
}

test('without any input every option has its default and the source says so', () => {
  const result = loaded();
  for (const listed of listOptions()) {
    assert.equal(result.sources[listed.path], 'default');
    assert.deepEqual(optionValue(result, listed), listed.option.fallback(), listed.path);
  }
  assert.deepEqual(result.warnings, []);
  assert.equal(result.config.server.host, '127.0.0.1');
  assert.equal(result.config.server.port, 8120);
  assert.equal(result.config.database.maxConnections, 32);
});

test('each option is read from the file, each of its variables and its flag; the stronger wins', () => {
  for (const listed of listOptions()) {
    if (listed.option.fromText === undefined || listed.path.startsWith('routing.weights')) continue;
    const [first, second] = samples(listed);
    const others = companions(listed.path);
    delete others[listed.path];
    const want = (text: string) => {
      const outcome = listed.option.schema.parse(listed.option.fromText?.(text));
      return outcome instanceof Secret ? outcome.reveal() : outcome;
    };
    const fileText = yamlOf(listed.path, first, listed);
    const fromFile = loaded({ fileText, flags: others });
    assert.deepEqual(optionValue(fromFile, listed), want(first), `${listed.path} from the file`);
    assert.equal(fromFile.sources[listed.path], 'file');
    for (const name of listed.variables) {
      const fromEnv = loaded({ fileText, env: { [name]: second }, flags: others });
      assert.deepEqual(optionValue(fromEnv, listed), want(second), `${listed.path} from ${name}`);
      assert.equal(fromEnv.sources[listed.path], 'env');
    }
    if (listed.flag === undefined) continue;
    const env = { [listed.variables[0] ?? '']: second };
    const fromFlag = loaded({ env, flags: { ...others, [listed.path]: first } });
    assert.deepEqual(
      optionValue(fromFlag, listed),
      want(first),
      `${listed.path} from ${listed.flag}`,
    );
    assert.equal(fromFlag.sources[listed.path], 'flag');
  }
});

test('the three weights are read from every source', () => {
  const fileText = 'routing:\n  weights:\n    priority: 10\n    load: 20\n    latency: 70\n';
  assert.deepEqual(loaded({ fileText }).config.routing.weights, {
    priority: 10,
    load: 20,
    latency: 70,
  });
  const env = { TENSORFORGE_ROUTING_WEIGHTS_PRIORITY: '0', TENSORFORGE_ROUTING_WEIGHTS_LOAD: '30' };
  const flags = { 'routing.weights.load': '30' };
  const result = loaded({ fileText, env, flags });
  assert.deepEqual(result.config.routing.weights, { priority: 0, load: 30, latency: 70 });
  assert.equal(result.sources['routing.weights.load'], 'flag');
});

test('the documented short variables exist', () => {
  const known = listOptions().flatMap((listed) => listed.variables);
  for (const short of ['PORT', 'HOST', 'LOG_LEVEL', 'LOG_FORMAT', 'DISCOVERY', 'HEALTH_CHECK']) {
    assert.ok(known.includes(`TENSORFORGE_${short}`), short);
  }
  assert.ok(known.includes('DATABASE_URL'));
});

test('no two options share a flag or a variable', () => {
  const listed = listOptions();
  for (const names of [
    listed.flatMap((item) => item.flag ?? []),
    listed.flatMap((item) => item.variables),
    listed.map((item) => item.path),
  ]) {
    assert.equal(new Set(names).size, names.length);
  }
});

test('variables reserved for tasks and hooks are no option and are not warned about', () => {
  for (const variable of listOptions().flatMap((listed) => listed.variables)) {
    assert.equal(isReservedVariable(variable), false, variable);
  }
  const env = Object.fromEntries(
    reservedVariables.map((name) => [`TENSORFORGE_${name.replace('*', 'X')}`, 'garbage']),
  );
  assert.equal(Object.keys(env).length, 19);
  const result = loaded({ env });
  assert.deepEqual(result, loaded());
});

test('NEXUS variables are not read', () => {
  assert.equal(loaded({ env: { NEXUS_PORT: '9' } }).config.server.port, 8120);
});

test('an empty variable and a key without a value count as not set', () => {
  const result = loaded({
    env: { TENSORFORGE_PORT: '' },
    fileText: 'server:\n  host:\nrouting:\n',
  });
  assert.equal(result.config.server.port, 8120);
  assert.equal(result.sources['server.host'], 'default');
});

test('two variables of one option that differ: the long one wins, and a warning says so', () => {
  const env = { TENSORFORGE_PORT: '1', TENSORFORGE_SERVER_PORT: '2' };
  const result = loaded({ env });
  assert.equal(result.config.server.port, 2);
  assert.match(result.warnings.join(), /TENSORFORGE_SERVER_PORT is used/);
});

test('all faults of all sources are told together, each with its place', () => {
  const fileText = [
    'server:',
    '  port: "8120"',
    '  tls_cert: /cert',
    'routing:',
    '  strategy: fastest',
    'backends:',
    '  - name: a',
    '    url: ftp://x',
    '    type: ollama',
    'health_check: 5',
  ].join('\n');
  const found = faults({
    fileText,
    filePath: 'my.yaml',
    env: { TENSORFORGE_DISCOVERY: 'perhaps' },
    flags: { 'logging.level': 'loud' },
  });
  const by = (path: string) => found.find((fault) => fault.path === path);
  assert.deepEqual(by('server.port'), {
    path: 'server.port',
    value: '8120',
    expected: 'an integer from 0 to 65535',
    source: 'file',
    origin: 'my.yaml',
    line: 2,
  });
  assert.equal(by('routing.strategy')?.line, 5);
  assert.equal(by('backends[0].url')?.line, 8);
  assert.equal(by('health_check')?.line, 10);
  assert.equal(by('discovery.enabled')?.origin, 'TENSORFORGE_DISCOVERY');
  assert.equal(by('logging.level')?.origin, '--log-level');
  assert.equal(by('server.tls_key')?.expected.includes('server.tls_cert'), true);
  assert.equal(found.length, 7);
  const error = configurationError(found);
  assert.equal(error.code, 'config_invalid');
  assert.deepEqual(error.info.details, found);
});

test('a bad value is a fault also where a stronger source overrides it', () => {
  const found = faults({ fileText: 'server: {port: -1}', flags: { 'server.port': '9000' } });
  assert.deepEqual(
    found.map((fault) => [fault.path, fault.source]),
    [['server.port', 'file']],
  );
});

test('unknown keys and variables are warnings with the nearest name', () => {
  const result = loaded({
    fileText:
      'server:\n  prot: 1\nrouteing:\n  x: 1\nbackends:\n  - {name: a, url: "http://h:1", type: ollama, priorty: 1}\n',
    env: { TENSORFORGE_LOG_LEVLE: 'debug' },
  });
  const told = result.warnings.join('\n');
  assert.match(told, /server\.prot \(tensorforge\.yaml line 2\).*Did you mean server\.port\?/);
  assert.match(told, /routeing .*Did you mean routing\?/);
  assert.match(told, /backends\[0\]\.priorty .*Did you mean backends\[0\]\.priority\?/);
  assert.match(told, /TENSORFORGE_LOG_LEVLE .*Did you mean TENSORFORGE_LOG_LEVEL\?/);
  assert.equal(result.warnings.length, 4);
});

test('broken YAML, a doubled key and a list at the top are faults with their line', () => {
  assert.equal(faults({ fileText: 'server:\n  port: [1\n' })[0]?.source, 'file');
  assert.equal(faults({ fileText: 'simulate: true\nsimulate: false\n' })[0]?.line, 2);
  assert.match(faults({ fileText: '- a\n' })[0]?.expected ?? '', /mapping/);
});

test('off loopback the host needs TLS or a proxy that terminates it', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.5', 'box.example']) {
    const [fault, ...more] = faults({ flags: { 'server.host': host } });
    assert.equal(more.length, 0);
    assert.equal(fault?.path, 'server.host');
    assert.match(fault?.expected ?? '', /--tls-cert.*--behind-tls-proxy/);
    loaded({ flags: { 'server.host': host, 'server.behind_tls_proxy': true } });
    const tls = { 'server.tls_cert': '/c', 'server.tls_key': '/k' };
    loaded({ flags: { 'server.host': host, ...tls } });
  }
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost']) {
    loaded({ flags: { 'server.host': host } });
  }
});

test('half of a TLS pair is a fault and does not count as TLS', () => {
  const found = faults({ flags: { 'server.host': '0.0.0.0', 'server.tls_key': '/k' } });
  assert.deepEqual(found.map((fault) => fault.path).sort(), ['server.host', 'server.tls_cert']);
});

test('weights that do not sum to 100 are refused with the sum', () => {
  const [fault] = faults({ flags: { 'routing.weights.load': '31' } });
  assert.equal(fault?.path, 'routing.weights');
  assert.equal(fault?.value, '50 + 31 + 20 = 101');
});

test('an unknown strategy lists those there are', () => {
  const [fault] = faults({ flags: { 'routing.strategy': 'fastest' } });
  assert.match(fault?.expected ?? '', /^one of smart, round_robin, .*, cost$/);
  assert.equal(loaded({ flags: { 'routing.strategy': 'SMART' } }).config.routing.strategy, 'smart');
});

test('an alias cycle is told once, with its exact words', () => {
  const fileText = 'routing:\n  aliases:\n    a: b\n    b: c\n    c: a\n    d: real\n';
  const found = faults({ fileText });
  assert.equal(found.length, 1);
  assert.match(
    found[0]?.expected ?? '',
    /Circular alias detected: 'a' eventually points back to 'a'/,
  );
  assert.equal(found[0]?.line, 3);
  assert.match(
    faults({ fileText: 'routing: {aliases: {x: y, y: y}}' })[0]?.expected ?? '',
    /Circular alias detected: 'x' eventually points back to 'y'/,
  );
});

test('an alias may take three steps, not four', () => {
  loaded({ fileText: 'routing: {aliases: {a: b, b: c, c: real}}' });
  const found = faults({ fileText: 'routing: {aliases: {a: b, b: c, c: d, d: real}}' });
  assert.deepEqual(
    found.map((fault) => fault.path),
    ['routing.aliases.a'],
  );
});

test('backends get their defaults by type, and two of one name or address are refused', () => {
  const yaml = (more: string) =>
    `backends:\n  - {name: Box, url: "http://h:1/", type: ollama}\n${more}`;
  assert.deepEqual(loaded({ fileText: yaml('') }).config.backends, [
    {
      name: 'Box',
      url: 'http://h:1',
      type: 'ollama',
      priority: 50,
      apiKeyEnv: undefined,
      zone: 'restricted',
      tier: 1,
      capacity: 0,
    },
  ]);
  const doubled = faults({ fileText: yaml('  - {name: box, url: "http://H:1", type: vllm}\n') });
  assert.deepEqual(
    doubled.map((fault) => [fault.path, fault.line]),
    [
      ['backends[1].name', 3],
      ['backends[1].url', 3],
    ],
  );
});

test('a cloud backend needs its key variable, and no other variable may be named', () => {
  const cloud = (key: string) =>
    `backends:\n  - {name: c, url: "https://api.openai.com", type: openai${key}}\n`;
  assert.equal(faults({ fileText: cloud('') })[0]?.path, 'backends[0].api_key_env');
  for (const bad of ['DATABASE_URL', 'HOME', 'TENSORFORGE_API_KEY', '']) {
    assert.equal(
      faults({ fileText: cloud(`, api_key_env: "${bad}"`) })[0]?.path,
      'backends[0].api_key_env',
    );
  }
  const { backends } = loaded({ fileText: cloud(', api_key_env: OPENAI_API_KEY') }).config;
  assert.equal(backends[0]?.zone, 'open');
  loaded({ fileText: cloud(', api_key_env: TENSORFORGE_BACKEND_KEY_MINE') });
});

test('backend addresses that other programs would read differently are refused', () => {
  for (const url of [
    'file:///etc/passwd',
    'http://user:secret@h',
    'http://h/?a=b',
    'http://h#x',
    'http://0x7f.1',
    'http://127.1',
    'http://2130706433',
    'http://127.0.0.%31',
    'http://h:0',
    'http://h:65536',
    'http://ｈ',
    'http://h\\@x',
  ]) {
    const fileText = `backends:\n  - {name: a, url: ${JSON.stringify(url)}, type: ollama}\n`;
    assert.equal(faults({ fileText })[0]?.path, 'backends[0].url', url);
  }
  for (const url of ['http://[::1]:8080', 'https://box.example/base/v1', 'http://10.0.0.1:65535']) {
    loaded({ fileText: `backends:\n  - {name: a, url: "${url}", type: ollama}\n` });
  }
});

test('no secret is in a fault, an error or the printed configuration', () => {
  const secret = 'hunter2-do-not-show';
  const found = faults({
    env: { DATABASE_URL: `mysql://user:${secret}@h/db` },
    fileText: `backends:\n  - {name: a, url: "http://u:${secret}@h", type: ollama, api_key: ${secret}}\ndatabase: ${secret}\n`,
  });
  assert.equal(found.length, 3);
  const told = JSON.stringify(found) + configurationError(found).message;
  assert.equal(told.includes(secret), false, told);
  const good = loaded({ env: { DATABASE_URL: `postgres://user:${secret}@h/db` } });
  assert.equal(JSON.stringify(good).includes(secret), false);
  assert.equal(good.config.database.url?.reveal().includes(secret), true);
});

test('the configuration is frozen all the way down', () => {
  const { config } = loaded({ fileText: 'routing: {aliases: {a: b}}' });
  assert.ok(Object.isFrozen(config.routing.aliases));
  assert.ok(Object.isFrozen(config.server));
  assert.ok(Object.isFrozen(config.discovery.ports));
});

test('a backend at an address that a start refuses is a fault', () => {
  const check = (url: string) =>
    load({ fileText: `backends: [{name: a, type: vllm, url: "${url}"}]` }).ok;
  for (const host of [
    '169.254.169.254',
    '0.0.0.0',
    '224.0.0.1',
    '255.255.255.255',
    '100.100.100.200',
    '[::]',
    '[fe80::1]',
    '[ff02::1]',
    '[fd00:ec2::254]',
    '[::ffff:a9fe:a9fe]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::]',
    'metadata.google.internal',
    'Metadata',
    'a..b',
    'box.',
    '-box',
    '127.1',
  ]) {
    assert.equal(check(`http://${host}:8000`), false, host);
  }
  for (const url of ['http://h:0', 'http://h:080', 'http://h/a//b', 'http://h/../b']) {
    assert.equal(check(url), false, url);
  }
  for (const url of [
    'http://127.0.0.1:11434',
    'http://[::1]:11434/v1/',
    'http://[fd12::1]:8000',
    'https://192.168.1.20',
    'HTTP://Box-1.lan:8000/api',
  ]) {
    assert.equal(check(url), true, url);
  }
});

test('two spellings of one backend address are one address', () => {
  const found = faults({
    fileText:
      'backends: [{name: a, type: vllm, url: "http://h/v1"}, {name: b, type: vllm, url: "http://H:80"}]',
  });
  assert.deepEqual(
    found.map((fault) => fault.path),
    ['backends[1].url'],
  );
});
