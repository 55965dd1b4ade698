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
    const ports = [...new Set(report.heard.map(({ port }) => port))];
    lines.push(`  engines   asked ${ports.join(' ')}`);
  }
  for (const backend of report.backends) {
    const models = backend.models.slice(0, 3).join(', ');
    const more = backend.models.length > 3 ? ` and ${backend.models.length - 3} more` : '';
    const isSimulated = report.simulated.includes(backend.id);
    const name = isSimulated ? `${backend.id} SIM` : backend.id;
    const shown = backend.isRoutable ? `${models}${more}` : backend.words;
    lines.push(`            ${backend.isRoutable ? '●' : '○'} ${name}: ${shown}`);
  }
  if (report.simulated.length > 0) {
    lines.push(
      `            ${report.heard.length > 0 ? 'No engine answered' : 'No backend is configured'}. Started ${report.simulated.length} SIMULATED ones; add yours: tensorforge backends add URL`,
    );
  }
  if (report.backends.length === 0) {
    lines.push('            none yet; add one: tensorforge backends add URL');
  }
  return lines;
}

export function banner(report: StartReport, options: BannerOptions): string {
  const model = report.backends.find((backend) => backend.isRoutable)?.models[0];
  const shownKey = options.isTerminal ? report.firstKey?.reveal() : undefined;
  const keyText = shownKey ?? (report.hasAdminKeyFile ? `$(cat ${report.adminKeyFile})` : '$KEY');
  const inFile = `Admin key   in ${report.adminKeyFile} (mode 0600)`;
  const withYou = 'Admin key   the one you keep; there is none in the data directory';
  const keyLine =
    shownKey === undefined
      ? report.hasAdminKeyFile
        ? inFile
        : withYou
      : `Admin key   ${shownKey}   shown only now; kept in ${report.adminKeyFile}`;
  const lines = [
    `TensorForge ${options.version} on Node ${process.versions.node}`,
    `  database  ${report.databaseWords}`,
    `  gateway   ${report.threads} ${report.threads === 1 ? 'thread' : 'threads'}, ${report.url}${report.listensOn === undefined ? '' : `, listening on ${report.listensOn}`}`,
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
