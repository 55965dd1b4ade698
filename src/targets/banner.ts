// The first lines of `up`: what runs, where the dashboard is, how to sign in, what was found. The
// admin key is printed once, at the start that made it, and only to a terminal.

import type { StartReport } from './control-plane.ts';

export type BannerOptions = {
  readonly version: string;
  readonly seconds: number;
  readonly dataDirectory: string;
  readonly isTerminal: boolean;
};

function heardLines(report: StartReport): string[] {
  const lines: string[] = [];
  if (report.heard.length > 0) {
    lines.push(`  engines   asked ${report.heard.map((heard) => heard.port).join(' ')}`);
  }
  for (const backend of report.backends) {
    const models = backend.models.slice(0, 3).join(', ');
    const more = backend.models.length > 3 ? ` and ${backend.models.length - 3} more` : '';
    const isSimulated = report.simulated.includes(backend.id);
    const name = isSimulated ? `${backend.id} SIM` : backend.id;
    const shown = models === '' ? backend.words : `${models}${more}`;
    lines.push(`            ${models === '' ? '○' : '●'} ${name}: ${shown}`);
  }
  if (report.simulated.length > 0) {
    lines.push(
      `            No engine answered. Started ${report.simulated.length} SIMULATED ones; add yours: tensorforge backends add URL`,
    );
  }
  if (report.backends.length === 0) {
    lines.push('            none yet; add one: tensorforge backends add URL');
  }
  return lines;
}

export function banner(report: StartReport, options: BannerOptions): string {
  const model = report.backends.find((backend) => backend.models.length > 0)?.models[0];
  const shownKey = options.isTerminal ? report.firstKey?.reveal() : undefined;
  const keyText = shownKey ?? `$(cat ${report.adminKeyFile})`;
  const keyLine =
    shownKey === undefined
      ? `Admin key   in ${report.adminKeyFile} (mode 0600)`
      : `Admin key   ${shownKey}   shown only now; kept in ${report.adminKeyFile}`;
  const lines = [
    `TensorForge ${options.version} on Node ${process.versions.node}`,
    `  database  ${report.databaseWords}`,
    `  gateway   ${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}, ${report.url}`,
    ...heardLines(report),
    `Dashboard   ${report.url}/   sign in with the admin key`,
    keyLine,
  ];
  if (model !== undefined) {
    lines.push(
      `Try it      curl ${report.url}/v1/chat/completions -H "Authorization: Bearer ${keyText}" \\`,
      `              -H "content-type: application/json" -d '{"model":"${model}","messages":[{"role":"user","content":"hi"}]}'`,
    );
  }
  lines.push(
    `Ready in ${options.seconds.toFixed(1)} s. Ctrl-C drains and stops. Data in ${options.dataDirectory}. Trouble: tensorforge doctor`,
  );
  return `${lines.join('\n')}\n`;
}
