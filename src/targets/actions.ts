// What the command line starts: the control plane, a simulated engine, the demo, and the work that
// needs no control plane: simulations, and replays of a folder.

import type { Actions, UpRequest } from '../cli/actions.ts';
import { readVersion } from '../cli/version.ts';
import { configurationError } from '../config/fault.ts';
import { readConfiguration } from '../config/files.ts';
import type { Loaded } from '../config/load.ts';
import { banner } from './banner.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';

/** A second Ctrl-C within this time does not wait for the drain, ms. */
const forceWithinMs = 10_000;

function load(request: UpRequest): Loaded {
  const loaded = readConfiguration({
    configurationFile: request.configurationFile,
    env: process.env,
    flags: request.flags,
  });
  if (loaded.ok) return loaded.value;
  throw configurationError(loaded.error);
}

/** The folder of the built dashboard; undefined when it cannot be built, which is said. */
async function dashboardFolder(isEnabled: boolean): Promise<string | undefined> {
  if (!isEnabled) return undefined;
  const builder = new URL('../../scripts/build-dashboard.ts', import.meta.url).href;
  try {
    const { ensureDashboard }: { ensureDashboard(): Promise<string> } = await import(builder);
    return await ensureDashboard();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    process.stderr.write(`warning: the dashboard could not be built and is not served: ${words}\n`);
    return undefined;
  }
}

/** Resolves with the first signal that asks for the end, or with why it cannot go on. */
function untilStopped(plane: ControlPlane): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
    void plane.lost.then(resolve);
  });
}

function reloadOn(plane: ControlPlane | undefined): void {
  if (plane === undefined) return;
  try {
    plane.reload();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    plane.log.error(
      { error: words },
      'the configuration was read again and refused; the old one stays',
    );
  }
}

async function up(request: UpRequest): Promise<number> {
  const started = performance.now();
  // A hang-up before there is anything to read again must not end the process.
  let running: ControlPlane | undefined;
  process.on('SIGHUP', () => reloadOn(running));
  const loaded = load(request);
  for (const warning of loaded.warnings) process.stderr.write(`warning: ${warning}\n`);
  const plane = await startControlPlane({
    dataDirectory: request.dataDirectory,
    loaded,
    reload: () => load(request),
    configurationFile: request.configurationFile,
    dashboardFolder: await dashboardFolder(loaded.config.dashboard.enabled),
    build: readVersion(),
  });
  running = plane;
  const seconds = (performance.now() - started) / 1000;
  if (request.output.json) {
    const { url, adminKeyFile, simulated } = plane.report;
    process.stdout.write(
      `${JSON.stringify({ ready: true, url, admin_key_file: adminKeyFile, simulated })}\n`,
    );
  } else if (!request.output.quiet && loaded.config.logging.format === 'pretty') {
    const isTerminal = process.stdout.isTTY === true;
    const { dataDirectory } = request;
    process.stdout.write(
      banner(plane.report, { version: readVersion(), seconds, dataDirectory, isTerminal }),
    );
  }
  const why = await untilStopped(plane);
  const graceMs = loaded.config.server.drainSeconds * 1000;
  plane.log.info({ why, grace_s: graceMs / 1000 }, 'draining');
  setTimeout(() => {
    process.once('SIGINT', () => process.exit(130));
  }, 0).unref();
  const isDatabaseLost = why.startsWith('database lost');
  setTimeout(() => process.exit(isDatabaseLost ? 69 : 1), graceMs + forceWithinMs).unref();
  const cut = await plane.stop(graceMs);
  if (cut > 0) plane.log.warn({ cut }, 'requests were cut when the grace was over');
  if (isDatabaseLost) return 69;
  return why.startsWith('SIG') ? 0 : 1;
}

export const actions: Actions = {
  up,
  serve: (_target, request) => up(request),
  async sim(request) {
    const { runSim } = await import('../services/sim/command.ts');
    return runSim(request);
  },
  async demo(request) {
    const { runDemo } = await import('../services/demo/run-demo.ts');
    return runDemo(request);
  },
  async simulate(request) {
    const { simulate } = await import('../services/simulation/simulate.ts');
    return simulate(request);
  },
  async replayFolder({ folder, asked, onProgress }) {
    const { replayAsked } = await import('../services/resilience/replay-request.ts');
    return replayAsked(folder, asked, onProgress);
  },
};
