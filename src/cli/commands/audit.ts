// `audit`: who changed what, and is the record of it whole. `list`, `verify` and `export` ask the
// installation; `check` needs none: it verifies an exported file where it lies.

import { createHash, createPublicKey, verify as verifySignature } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Command } from 'commander';
import type { AnchorWire } from '../../protocol/audit/schemas.ts';
import type { TrailCrypto } from '../../protocol/audit/trail-file.ts';
import type { AuditReportWire } from '../../protocol/control/trust-schemas.ts';
import { openApi } from '../client.ts';
import { bareNoun, describe, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { CliFailure, exitCodes } from '../failure.ts';
import { shape } from '../output/shapes.ts';
import { printListing } from '../output/table.ts';
import { counted, escapeControl } from '../output/text.ts';
import { downloadFile } from './file-download.ts';

/** A trail of some millions of events is verified within this. */
const verifyWithinMs = 600_000;

// ---- list --------------------------------------------------------------------------------------

type ListFlags = { readonly stream?: string; readonly kind?: string; readonly limit?: number };

async function list(context: Context, { machine }: Surroundings, flags: ListFlags) {
  const { auditEventsSchema } = await import('../../protocol/control/platform-schemas.ts');
  const { stream, kind, limit = 50 } = flags;
  const query = new URLSearchParams({ newest: 'true', limit: String(limit) });
  if (stream !== undefined) query.set('stream', stream);
  if (kind !== undefined) query.set('kind', kind);
  const api = await openApi(context, machine);
  const path = `/api/v1/audit/events?${query}`;
  const answer = await api.call(auditEventsSchema, { method: 'GET', path });
  printListing(context, {
    rows: answer.events,
    id: (row) => row.id,
    json: answer,
    empty: 'No such event yet.',
    columns: [
      { title: 'TIME', name: 'occurred_at', shown: (row) => row.occurred_at },
      { title: 'STREAM', name: 'stream', shown: (row) => row.stream },
      {
        title: 'SEQ',
        name: 'sequence',
        alignRight: true,
        shown: (row) => String(row.sequence),
      },
      { title: 'WHAT', name: 'kind', shown: (row) => row.kind },
      { title: 'BY', name: 'actor', mayCut: true, shown: (row) => row.actor },
      { title: 'ON', name: 'subject', mayCut: true, isSpare: true, shown: (row) => row.subject },
      {
        title: 'DATA',
        name: 'data',
        mayCut: true,
        isSpare: true,
        shown: (row) => JSON.stringify(row.data),
      },
    ],
  });
}

// ---- verify ------------------------------------------------------------------------------------

type Place = {
  readonly where: string;
  readonly name: string;
  readonly line?: number | null;
  readonly sequence: number | null;
  readonly offset?: number | null;
  readonly reason: string;
  readonly expected: string | null;
  readonly found: string | null;
};

/** `events identity, sequence 42: wrong_hash`, and below it what should be there and what is. */
function placeLines(fault: Place): readonly string[] {
  const at = [
    fault.line === undefined || fault.line === null ? '' : `, line ${fault.line}`,
    fault.sequence === null ? '' : `, sequence ${fault.sequence}`,
    fault.offset === undefined || fault.offset === null ? '' : `, byte ${fault.offset}`,
  ].join('');
  const lines = [`${fault.where} ${fault.name}${at}: ${fault.reason}`];
  if (fault.expected !== null) lines.push(`  expected  ${fault.expected}`);
  if (fault.found !== null) lines.push(`  found     ${fault.found}`);
  return lines;
}

function printPlaces(context: Context, faults: readonly Place[]): void {
  for (const fault of faults) {
    for (const line of placeLines(fault)) context.out(escapeControl(line));
  }
}

function printReport(context: Context, report: AuditReportWire): void {
  if (context.json) context.out(JSON.stringify(report));
  else if (context.quiet) printPlaces(context, report.faults);
  else {
    const kind = report.whole ? (report.faults.length === 0 ? 'ok' : 'attention') : 'bad';
    context.out(`${shape(kind, context)} ${escapeControl(report.words)}`);
    printPlaces(context, report.faults);
    const looked = [
      counted(report.streams.length, 'stream'),
      counted(report.events, 'event'),
      counted(report.digests, 'seal'),
      counted(report.segments, 'decision segment'),
    ];
    context.note(`Looked at ${looked.join(', ')}.`);
  }
}

async function verify(context: Context, { machine }: Surroundings, anchors: boolean) {
  const { auditReportSchema } = await import('../../protocol/control/trust-schemas.ts');
  const api = await openApi(context, machine);
  const report = await api.call(auditReportSchema, {
    method: 'POST',
    path: '/api/v1/audit/verify',
    body: { anchors },
    timeoutMs: verifyWithinMs,
  });
  printReport(context, report);
  return report.whole ? exitCodes.ok : exitCodes.workFailed;
}

// ---- export ------------------------------------------------------------------------------------

type ExportFlags = {
  readonly from?: string;
  readonly to?: string;
  readonly stream?: string;
  readonly output?: string;
  readonly force?: boolean;
  readonly acceptReversals?: boolean;
};

async function exportTrail(context: Context, { machine }: Surroundings, flags: ExportFlags) {
  const { manifestLineSchema } = await import('../../protocol/audit/schemas.ts');
  const query = new URLSearchParams();
  for (const name of ['from', 'to', 'stream'] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  if (flags.acceptReversals === true) query.set('accept_reversals', 'true');
  const api = await openApi(context, machine);
  const path = `/api/v1/audit/export?${query}`;
  const download = (take: (part: Buffer) => Promise<void>): Promise<void> =>
    api.download({ method: 'GET', path, timeoutMs: verifyWithinMs }, take);
  // What has no manifest as its last line is no export, and no file is made of it.
  const isWhole = (last: string): boolean => {
    try {
      return manifestLineSchema.safeParse(JSON.parse(last)).success;
    } catch {
      return false;
    }
  };
  const file = await downloadFile(download, { ...flags, isWhole });
  const { events } = manifestLineSchema.parse(JSON.parse(file.lastLine)).manifest;
  if (file.path === undefined) return;
  if (context.json) context.out(JSON.stringify({ file: file.path, events }));
  else if (context.quiet) context.out(file.path);
  else {
    const words = `${counted(events, 'record')} whole, in ${file.path}`;
    context.out(`${shape('ok', context)} ${escapeControl(words)}`);
  }
}

// ---- check -------------------------------------------------------------------------------------

/** What stands before the 32 bytes of an Ed25519 key in its DER form (RFC 8410). */
const derHead = Buffer.from('302a300506032b6570032100', 'hex');

const crypto: TrailCrypto = {
  sha256Hex: (text) => createHash('sha256').update(text).digest('hex'),
  isSignedBy: (publicKey, text, signature) => {
    const raw = Buffer.from(publicKey, 'base64url');
    if (raw.length !== 32) return false;
    const der = Buffer.concat([derHead, raw]);
    const key = createPublicKey({ key: der, type: 'spki', format: 'der' });
    return verifySignature(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  },
};

function unreadable(path: string, cause: unknown): CliFailure {
  const words = cause instanceof Error ? cause.message : String(cause);
  return new CliFailure('file_unreadable', `${path} cannot be read: ${words}`, {
    exitCode: exitCodes.failed,
    remedy: 'name a file that tensorforge audit export made',
    cause,
  });
}

async function readAnchors(path: string): Promise<readonly AnchorWire[]> {
  const { parseAnchors } = await import('../../protocol/audit/trail-file.ts');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
  const { anchors, badLine } = parseAnchors(text);
  if (badLine === undefined) return anchors;
  throw new CliFailure('anchors_unreadable', `line ${badLine} of ${path} is no anchor`, {
    exitCode: exitCodes.workFailed,
    remedy: 'name the audit-anchors.jsonl of the installation, or a copy that was kept elsewhere',
  });
}

async function check(context: Context, path: string, anchorsPath: string | undefined) {
  const { checkTrailFile } = await import('../../protocol/audit/trail-file.ts');
  const anchors = anchorsPath === undefined ? undefined : await readAnchors(anchorsPath);
  const lines = createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  });
  const report = await checkTrailFile(lines, crypto, anchors).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  if (context.json) context.out(JSON.stringify(report));
  else if (context.quiet) printPlaces(context, report.faults);
  else {
    const state = report.whole ? 'whole' : 'not whole';
    const words = `${counted(report.events, 'record')} of ${path} ${state}`;
    context.out(`${shape(report.whole ? 'ok' : 'bad', context)} ${escapeControl(words)}`);
    printPlaces(context, report.faults);
    const key = report.public_key ?? 'nobody';
    if (report.anchored === true) context.note('The anchors prove it up to the newest seal.');
    else
      context.note(`Signed by ${key}; only anchors of the installation prove whose key that is.`);
  }
  return report.whole ? exitCodes.ok : exitCodes.workFailed;
}

export function addAuditCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('audit').alias('audits'), {
    summary: 'who changed what: list, verify, export, check',
    examples: ['tensorforge audit', 'tensorforge audit verify'],
  });
  bareNoun(noun, surroundings, (context) => list(context, surroundings, {}));
  const listCommand = describe(noun.command('list').alias('ls'), {
    summary: 'list the newest control events, oldest of them first',
    examples: ['tensorforge audit list --limit 200', 'tensorforge audit list --stream identity'],
  })
    .option('--stream <stream>', 'Only this stream: identity, edge, backends, policy, audit.')
    .option('--kind <kind>', 'Only events of this kind, such as api_key_created.')
    .option('--limit <n>', 'Default: 50.', wholeNumber(1, 1000));
  runs(listCommand, surroundings, (context, _, self) =>
    list(context, surroundings, self.opts<ListFlags>()),
  );
  const verifyCommand = describe(noun.command('verify'), {
    summary: 'verify every event, seal, anchor and decision record',
    description:
      'Verifies the whole trail: the chain of every stream, the seals over them and their signatures, the anchors file, the segments of the decision log. Exit 3 when anything differs, with each place.',
    examples: ['tensorforge audit verify', 'tensorforge audit verify --json'],
  }).option('--no-anchors', 'Leave the anchors file out.');
  runs(verifyCommand, surroundings, (context, _, self) => {
    const { anchors } = self.opts<{ readonly anchors: boolean }>();
    return verify(context, surroundings, anchors);
  });
  addExport(noun, surroundings);
  const checkCommand = describe(noun.command('check <file>'), {
    summary: 'verify an exported file, without an installation',
    description:
      'Verifies a file of `audit export` by itself: the chain of each stream, counts, manifest and signature. With --anchors also that the seal in it is one that was noted when it was made. Exit 3 when anything differs.',
    examples: [
      'tensorforge audit check audit.jsonl',
      'tensorforge audit check audit.jsonl --anchors audit-anchors.jsonl',
    ],
  }).option('--anchors <file>', 'A copy of the anchors file of the installation.');
  runs(checkCommand, surroundings, (context, [file = ''], self) =>
    check(context, file, self.opts<{ readonly anchors?: string }>().anchors),
  );
}

function addExport(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('export'), {
    summary: 'export verified events as JSON lines, with a signed manifest',
    description:
      'Writes control events as JSON lines, a signed manifest last. The installation verifies them first and refuses when they do not hold. Without --output they go to standard output.',
    examples: [
      'tensorforge audit export --output audit.jsonl',
      'tensorforge audit export --from 2026-11-01T00:00:00Z --stream identity --output keys.jsonl',
    ],
  })
    .option('--from <time>', 'RFC 3339; events at that time belong to it.')
    .option('--to <time>', 'RFC 3339; events at that time belong to it.')
    .option('--stream <stream>', 'Only this stream.')
    .option('--output <file>', 'The file to write, readable by you alone.')
    .option('--force', 'Overwrite a file that exists.')
    .option('--accept-reversals', 'Export in spite of a clock that was set back.');
  runs(command, surroundings, (context, _, self) =>
    exportTrail(context, surroundings, self.opts<ExportFlags>()),
  );
}
