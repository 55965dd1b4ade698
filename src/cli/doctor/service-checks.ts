// What `doctor` finds out about the installation: configuration, port, database, backends.

import { connect as connectTcp, createServer } from 'node:net';
import type { Secret } from '../../base/secret.ts';
import { describeFault } from '../../config/fault.ts';
import { examineFiles } from '../../config/files.ts';
import type { Configuration } from '../../config/options.ts';
import type { Machine } from '../actions.ts';
import {
  defaultUrl,
  exchange,
  findInstallation,
  type Installation,
  openApi,
  parseJson,
} from '../client.ts';
import { listBackends } from '../commands/backends.ts';
import { type Context, configurationFileOf } from '../context.ts';
import { toFailure } from '../failure.ts';
import { counted } from '../output/text.ts';
import { attention, bad, type Check, well, wordsOf } from './check.ts';

const probeTimeoutMs = 2000;

export type ConfigurationOutcome = {
  readonly checks: readonly Check[];
  /** Undefined when it does not hold. */
  readonly config: Configuration | undefined;
};

export function checkConfiguration(context: Context): ConfigurationOutcome {
  const file = configurationFileOf(context);
  const place = file ?? 'defaults and variables';
  const { faults, warnings, config } = examineFiles({
    configurationFile: file,
    env: context.env,
    flags: {},
  });
  const checks = [
    ...faults.map((fault) =>
      bad('configuration', describeFault(fault), 'mend it; tensorforge config check looks again'),
    ),
    ...warnings.map((warning) =>
      attention('configuration', warning, 'remove it or correct the name'),
    ),
  ];
  if (checks.length === 0) checks.push(well('configuration', `${place}: no fault`));
  return { checks, config: faults.length === 0 ? config : undefined };
}

/** Can this address be bound now? Undefined means yes; else the error code. */
function bindProblem(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      resolve('code' in error && typeof error.code === 'string' ? error.code : error.message);
    });
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

export type PortOutcome = { readonly check: Check; readonly isRunning: boolean };

/** Either our own installation answers, or the port is free for it; anything else is in the way. */
export async function checkPort(
  context: Context,
  machine: Machine,
  config: Configuration,
): Promise<PortOutcome> {
  let installation: Installation;
  try {
    installation = await findInstallation(context, machine);
  } catch (error) {
    if (toFailure(error).code === 'usage') throw error;
    // A lock that cannot be read says nothing; what is wrong there, the data directory's line says.
    const check = await checkFreePort(context, config, new URL(defaultUrl), false);
    return { check, isRunning: false };
  }
  const { url, holder } = installation;
  try {
    const { gatewayHealthSchema } = await import('../../protocol/control/schemas.ts');
    const call = { method: 'GET', path: '/health' } as const;
    const { status, body } = await exchange(url, undefined, call, probeTimeoutMs);
    const health = gatewayHealthSchema.safeParse(parseJson(body));
    if (health.success) {
      const words = `TensorForge answers at ${url.origin}, ${health.data.status}`;
      return { check: well('port', words), isRunning: true };
    }
    const words = `something that is not TensorForge answers at ${url.origin} (status ${status})`;
    return {
      check: bad('port', words, 'stop it, or choose another: --port PORT'),
      isRunning: false,
    };
  } catch (error) {
    const failure = toFailure(error);
    if (failure.code === 'certificate_untrusted') {
      return { check: bad('port', failure.message, failure.remedy ?? ''), isRunning: false };
    }
    return {
      check: await checkFreePort(context, config, url, holder?.alive === true),
      isRunning: false,
    };
  }
}

async function checkFreePort(
  context: Context,
  config: Configuration,
  url: URL,
  isHeld: boolean,
): Promise<Check> {
  if (isHeld) {
    const words = `a process holds ${context.dataDirectory}, but ${url.origin} does not answer`;
    return bad('port', words, 'wait until it has started, or: tensorforge stop');
  }
  if (context.url !== undefined) {
    return bad('port', `${url.origin} does not answer`, 'start it there, or correct --url');
  }
  const { host, port } = config.server;
  const problem = port === 0 ? undefined : await bindProblem(host, port);
  if (problem === undefined) {
    return well('port', `${host}:${port} is free; nothing runs yet: tensorforge up`);
  }
  const words =
    problem === 'EADDRINUSE'
      ? `another program listens on ${host}:${port}`
      : `${host}:${port} cannot be bound: ${problem}`;
  return bad('port', words, 'stop that program, or choose another: --port PORT');
}

export async function checkDatabase(
  machine: Machine,
  url: Secret | undefined,
  dataDirectory: string,
): Promise<Check> {
  try {
    return well('database', await machine.checkDatabase(url, dataDirectory));
  } catch (error) {
    const remedy =
      url === undefined
        ? 'set DATABASE_URL to a PostgreSQL 15 or later, or install again'
        : 'check DATABASE_URL and that server';
    return bad('database', wordsOf(error), remedy);
  }
}

function canConnect(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connectTcp({ host, port, timeout: probeTimeoutMs });
    const end = (words: string | undefined): void => {
      socket.destroy();
      resolve(words);
    };
    socket.once('connect', () => end(undefined));
    socket.once('timeout', () => end(`no answer within ${probeTimeoutMs / 1000} s`));
    socket.once('error', (error) => end(wordsOf(error)));
  });
}

/** The command that helps a backend that takes no requests. */
function verbFor(backend: { readonly approved: boolean; readonly status: string }): string {
  if (!backend.approved) return 'approve';
  return backend.status === 'draining' ? 'resume' : 'probe';
}

/** The backends of the running installation. */
export async function checkBackends(context: Context, machine: Machine): Promise<Check[]> {
  try {
    const { backends } = await listBackends(await openApi(context, machine));
    if (backends.length === 0) {
      return [
        attention('backends', 'there are none', 'tensorforge backends add http://HOST:11434'),
      ];
    }
    const away = backends.filter((backend) => !backend.routable);
    const taking = backends.length - away.length;
    const checks = away.map((backend) =>
      attention(
        'backends',
        `${backend.id}: ${backend.status_words}`,
        `tensorforge backends ${verbFor(backend)} ${backend.id}`,
      ),
    );
    const words = `${taking} of ${counted(backends.length, 'backend')} take requests`;
    if (taking > 0) return [well('backends', words), ...checks];
    return [bad('backends', words, 'the lines below say why'), ...checks];
  } catch (error) {
    const failure = toFailure(error);
    return [bad('backends', failure.message, failure.remedy ?? 'tensorforge backends list')];
  }
}

/** Without an installation: which engines of this machine would be found. */
export async function checkEngines(config: Configuration): Promise<Check[]> {
  if (!config.discovery.enabled) return [];
  const asked = config.discovery.hosts.flatMap((host) =>
    config.discovery.ports.map((port) => ({ host, port })),
  );
  const answers = await Promise.all(
    asked.map(async ({ host, port }) =>
      (await canConnect(host, port)) === undefined ? `${host}:${port}` : undefined,
    ),
  );
  const found = answers.filter((place) => place !== undefined);
  const ports = [...new Set(config.discovery.ports)].join(' ');
  if (found.length > 0) return [well('engines', `something listens on ${found.join(', ')}`)];
  if (config.backends.length > 0) {
    return [well('engines', `${counted(config.backends.length, 'backend')} in the configuration`)];
  }
  return [
    attention(
      'engines',
      `nothing listens on the ports asked: ${ports}`,
      'start one, or add one that runs elsewhere; without any, tensorforge up starts simulated ones',
    ),
  ];
}
