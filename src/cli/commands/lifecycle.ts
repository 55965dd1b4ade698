// `stop`, `status` and `version`: what runs here, and ending it.

import type { Command } from 'commander';
import { openApi } from '../client.ts';
import { describe, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { type ShapeKind, shape } from '../output/shapes.ts';
import { printListing } from '../output/table.ts';
import { counted, escapeControl, shownSpan } from '../output/text.ts';
import { readVersion } from '../version.ts';

const pollMs = 50;

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The lock is given back just before the end; whoever reads "stopped" expects the end itself. */
const lastStepsMs = 5000;

function exists(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function untilGone(pid: number): Promise<void> {
  const deadline = performance.now() + lastStepsMs;
  while (exists(pid) && performance.now() < deadline) await pause(pollMs);
}

async function stop(context: Context, { machine }: Surroundings, timeoutSeconds: number) {
  const holder = await machine.readLock(context.dataDirectory);
  if (holder === undefined || !holder.alive) {
    if (context.json) context.out(JSON.stringify({ stopped: false, was_running: false }));
    else context.note(`Nothing runs with the data directory ${context.dataDirectory}.`);
    return;
  }
  const { pid } = holder;
  const began = performance.now();
  try {
    process.kill(pid, 'SIGTERM');
  } catch (cause) {
    const words = cause instanceof Error ? cause.message : String(cause);
    throw new CliFailure('not_permitted', `process ${pid} cannot be signalled: ${words}`, {
      exitCode: exitCodes.credentialsRefused,
      remedy: 'run this as the user who started it',
      cause,
    });
  }
  if (!context.json) context.note(`Process ${pid} lets running requests end.`);
  for (;;) {
    const now = await machine.readLock(context.dataDirectory);
    if (now === undefined || !now.alive || now.pid !== pid) break;
    const seconds = (performance.now() - began) / 1000;
    if (seconds > timeoutSeconds) {
      throw new CliFailure(
        'still_running',
        `process ${pid} runs ${timeoutSeconds} s after SIGTERM`,
        {
          exitCode: exitCodes.failed,
          remedy: `wait longer: --timeout SECONDS; or cut what runs: kill -9 ${pid}`,
        },
      );
    }
    await pause(pollMs);
  }
  await untilGone(pid);
  const seconds = Number(((performance.now() - began) / 1000).toFixed(1));
  if (context.json) {
    context.out(JSON.stringify({ stopped: true, was_running: true, pid, seconds }));
  } else if (context.quiet) context.out(String(pid));
  else context.out(`${shape('off', context)} stopped  pid ${pid}  ${seconds} s`);
}

const healthShapes: Readonly<Record<string, ShapeKind>> = {
  healthy: 'ok',
  degraded: 'attention',
  unhealthy: 'bad',
};

async function status(context: Context, { machine }: Surroundings): Promise<void> {
  const { gatewayHealthSchema } = await import('../../protocol/control/schemas.ts');
  const api = await openApi(context, machine);
  const health = await api.call(gatewayHealthSchema, { method: 'GET', path: '/health' });
  const { url, holder, isLocal } = api.installation;
  const pid = isLocal && holder?.alive === true ? holder.pid : null;
  const origin = url.origin;
  if (context.json) {
    context.out(JSON.stringify({ url: origin, pid, health }));
    return;
  }
  if (context.quiet) {
    context.out(health.status);
    return;
  }
  if (!context.isTerminal) {
    printListing(context, {
      rows: [health],
      id: () => health.status,
      json: health,
      empty: '',
      columns: [
        { title: '', name: 'status', shown: (row) => row.status },
        { title: '', name: 'state', shown: (row) => row.state },
        { title: '', name: 'url', shown: () => origin },
        { title: '', name: 'pid', shown: () => String(pid ?? '') },
        { title: '', name: 'build', shown: (row) => row.build },
        { title: '', name: 'uptime_seconds', shown: (row) => String(row.uptime_seconds) },
        { title: '', name: 'backends_total', shown: (row) => String(row.backends.total) },
        { title: '', name: 'backends_healthy', shown: (row) => String(row.backends.healthy) },
        { title: '', name: 'models', shown: (row) => String(row.models) },
      ],
    });
    return;
  }
  const { backends } = health;
  const lead = shape(healthShapes[health.status] ?? 'waiting', context);
  const process = pid === null ? '' : `  pid ${pid}`;
  context.out(
    `${lead} ${health.status}  ${origin}  up ${shownSpan(health.uptime_seconds)}${process}  version ${escapeControl(health.build)}`,
  );
  context.out(
    `  backends   ${backends.healthy} of ${backends.total} healthy, ${counted(health.models, 'model')}`,
  );
  const others = Object.entries(health.services).filter(
    ([, state]) => !['active', 'healthy'].includes(state),
  );
  const services = Object.keys(health.services).length;
  const odd = others.map(([name, state]) => `${name} ${state}`).join(', ');
  context.out(
    escapeControl(
      `  services   ${services - others.length} of ${services} as they should be${odd === '' ? '' : `; ${odd}`}`,
    ),
  );
  if (pid !== null) context.out(`  data       ${escapeControl(context.dataDirectory)}`);
  if (backends.total === 0) {
    context.note('No backends yet. Add one: tensorforge backends add http://HOST:11434');
  }
}

export function addLifecycleCommands(program: Command, surroundings: Surroundings): void {
  const stopCommand = describe(program.command('stop'), {
    summary: 'stop the control plane of this data directory',
    description:
      'Sends SIGTERM to the process that holds the data directory and waits until it has ended. Running requests end first, within server.drain_seconds. Stopping what does not run succeeds.',
    examples: [
      'tensorforge stop',
      'tensorforge stop --timeout 120 --data-dir /var/lib/tensorforge',
    ],
  }).option('--timeout <seconds>', 'How long to wait.', wholeNumber(1, 86_400), 90);
  runs(stopCommand, surroundings, (context, _, command) =>
    stop(context, surroundings, command.opts<{ readonly timeout: number }>().timeout),
  );

  const statusCommand = describe(program.command('status'), {
    summary: 'show whether the control plane runs, and how well',
    examples: ['tensorforge status', 'tensorforge status --url https://forge.example --json'],
  });
  runs(statusCommand, surroundings, (context) => status(context, surroundings));

  const version = describe(program.command('version'), {
    summary: 'print the version',
    examples: ['tensorforge version', 'tensorforge version --json'],
  });
  runs(version, surroundings, async (context) => {
    const text = readVersion();
    const { platform, arch, versions } = process;
    const facts = { version: text, node: versions.node, platform: `${platform}-${arch}` };
    if (context.json) context.out(JSON.stringify(facts));
    else if (context.quiet) context.out(text);
    else context.out(`TensorForge ${text}  Node ${versions.node}  ${platform}-${arch}`);
  });
}
