// `doctor`: looks at everything a start depends on and says what to do. It changes nothing.

import type { Command } from 'commander';
import { describe, runs, type Surroundings } from '../command.ts';
import type { Context } from '../context.ts';
import type { Check } from '../doctor/check.ts';
import { exitCodes } from '../failure.ts';
import { shape } from '../output/shapes.ts';
import { printListing } from '../output/table.ts';
import { counted, escapeControl } from '../output/text.ts';

async function examine(context: Context, { machine }: Surroundings): Promise<readonly Check[]> {
  const [local, service] = await Promise.all([
    import('../doctor/machine-checks.ts'),
    import('../doctor/service-checks.ts'),
  ]);
  const checks: Check[] = [
    local.checkNode(process.versions.node),
    await local.checkDataDirectory(context.dataDirectory, machine),
    local.checkDisk(context.dataDirectory),
    ...local.checkVariables(context.env),
  ];
  const { checks: found, config } = service.checkConfiguration(context);
  checks.push(...found);
  if (config !== undefined) {
    const { check, isRunning } = await service.checkPort(context, machine, config);
    const [database, gpu, fleet] = await Promise.all([
      service.checkDatabase(machine, config.database.url, context.dataDirectory),
      local.checkGpu(),
      isRunning ? service.checkBackends(context, machine) : service.checkEngines(config),
    ]);
    checks.push(check, database, gpu, ...fleet);
  } else {
    checks.push(await local.checkGpu());
  }
  return checks;
}

function print(context: Context, checks: readonly Check[]): void {
  const wrong = checks.filter((check) => check.state === 'bad').length;
  const odd = checks.filter((check) => check.state === 'attention').length;
  if (context.json || context.quiet || !context.isTerminal) {
    printListing(context, {
      rows: context.quiet ? checks.filter((check) => check.state === 'bad') : checks,
      id: (row) => row.name,
      json: { ok: wrong === 0, checks },
      empty: '',
      columns: [
        { title: '', name: 'state', shown: (row) => row.state },
        { title: '', name: 'check', shown: (row) => row.name },
        { title: '', name: 'words', shown: (row) => row.words },
        { title: '', name: 'remedy', shown: (row) => row.remedy ?? '' },
      ],
    });
    return;
  }
  for (const check of checks) {
    const words = escapeControl(`${check.name.padEnd(15)} ${check.words}`);
    context.out(`${shape(check.state, context)} ${words}`);
    if (check.remedy !== null) context.out(escapeControl(`    do  ${check.remedy}`));
  }
  const verdict = wrong === 0 ? 'Nothing stops a start' : `${counted(wrong, 'fault')} to mend`;
  context.out(odd === 0 ? `${verdict}.` : `${verdict}; ${odd} to look at.`);
}

export function addDoctorCommand(program: Command, surroundings: Surroundings): void {
  const doctor = describe(program.command('doctor'), {
    summary: 'check this machine and installation, and say what to do',
    description:
      'Looks at Node, data directory, disk, variables, configuration, port, database, GPU driver and backends. Changes nothing. Exit 1 when something is wrong.',
    examples: ['tensorforge doctor', 'tensorforge doctor --json'],
  });
  runs(doctor, surroundings, async (context) => {
    const checks = await examine(context, surroundings);
    print(context, checks);
    return checks.some((check) => check.state === 'bad') ? exitCodes.failed : exitCodes.ok;
  });
}
