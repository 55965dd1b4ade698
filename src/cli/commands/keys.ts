// `keys`: API keys. The secret of a key is shown once, when it is made, and never asked as a flag.

import type { Command } from 'commander';
import type { KeyViewWire } from '../../protocol/control/schemas.ts';
import { type Api, openApi } from '../client.ts';
import { bareNoun, describe, repeated, runs, type Surroundings, wholeNumber } from '../command.ts';
import type { Context } from '../context.ts';
import { usageFailure } from '../failure.ts';
import { shape } from '../output/shapes.ts';
import { type Column, printListing } from '../output/table.ts';
import { escapeControl, shownSince } from '../output/text.ts';

async function schemas() {
  return import('../../protocol/control/schemas.ts');
}

function stateOf(key: KeyViewWire, nowMs: number): 'active' | 'revoked' | 'expired' {
  if (key.revoked) return 'revoked';
  const isOver = key.expires_at !== null && Date.parse(key.expires_at) <= nowMs;
  return isOver ? 'expired' : 'active';
}

function columnsFor(context: Context): readonly Column<KeyViewWire>[] {
  const now = Date.now();
  return [
    {
      title: '',
      isShape: true,
      shown: (row) => shape(stateOf(row, now) === 'active' ? 'ok' : 'off', context),
    },
    { title: 'STATE', name: 'state', shown: (row) => stateOf(row, now) },
    { title: 'ID', name: 'id', shown: (row) => row.id },
    { title: 'NAME', name: 'name', isSpare: true, mayCut: true, shown: (row) => row.name },
    {
      title: 'GROUP',
      name: 'group_name',
      isSpare: true,
      mayCut: true,
      shown: (row) => row.group_name,
    },
    { title: 'ENDS IN', name: 'last4', isSpare: true, shown: (row) => row.last4 },
    {
      title: 'EXPIRES',
      isSpare: true,
      name: 'expires_at',
      shown: (row) => row.expires_at?.slice(0, 10) ?? 'never',
      raw: (row) => row.expires_at,
    },
    {
      title: 'USED',
      isSpare: true,
      name: 'last_used_at',
      shown: (row) =>
        row.last_used_at === null ? 'never' : `${shownSince(row.last_used_at, now)} ago`,
      raw: (row) => row.last_used_at,
    },
    {
      title: 'PERMISSIONS',
      isSpare: true,
      name: 'permissions',
      mayCut: true,
      shown: (row) => row.permissions.join(' '),
      raw: (row) => row.permissions.join(','),
    },
    {
      title: 'MODELS',
      isSpare: true,
      name: 'models',
      mayCut: true,
      shown: (row) => row.models.join(' ') || 'all',
      raw: (row) => row.models.join(','),
    },
  ];
}

const pageSize = 100;

async function listKeys(api: Api) {
  const { keyListSchema } = await schemas();
  const page = (offset: number) =>
    api.call(keyListSchema, {
      method: 'GET',
      path: `/api/v1/keys?limit=${pageSize}&offset=${offset}`,
    });
  let list = await page(0);
  while (list.keys.length < list.count) {
    const next = await page(list.keys.length);
    if (next.keys.length === 0) break;
    list = { ...list, keys: [...list.keys, ...next.keys] };
  }
  return list;
}

async function printKeys(context: Context, { machine }: Surroundings): Promise<void> {
  const list = await listKeys(await openApi(context, machine));
  printListing(context, {
    rows: list.keys,
    columns: columnsFor(context),
    id: (row) => row.id,
    json: list,
    empty:
      'No keys yet. A key lets a client use the models. Make one: tensorforge keys create --name NAME',
  });
}

type CreateFlags = {
  readonly name: string;
  readonly permission?: readonly string[];
  readonly admin?: boolean;
  readonly models?: readonly string[];
  readonly expiresInDays?: number;
  readonly neverExpires?: boolean;
};

async function create(context: Context, { machine }: Surroundings, flags: CreateFlags) {
  const { keyCreatedSchema, keyCreateSchema, permissionSchema } = await schemas();
  const isAdmin = flags.admin === true;
  if (isAdmin && flags.permission !== undefined) {
    throw usageFailure('--admin grants every permission; leave out --permission or --admin');
  }
  if (flags.neverExpires === true && flags.expiresInDays !== undefined) {
    throw usageFailure('give --never-expires or --expires-in-days, not both');
  }
  const permissions = isAdmin ? permissionSchema.options : flags.permission;
  const days = flags.neverExpires === true ? null : flags.expiresInDays;
  const wanted = keyCreateSchema.safeParse({
    name: flags.name,
    ...(permissions === undefined ? {} : { permissions }),
    ...(flags.models === undefined ? {} : { models: flags.models }),
    ...(days === undefined ? {} : { expires_in_days: days }),
  });
  if (!wanted.success) {
    const [issue] = wanted.error.issues;
    const at = issue?.path[0] === 'permissions' ? 'permission' : String(issue?.path[0]);
    throw usageFailure(`--${at}: ${issue?.message}`, 'tensorforge keys create --help');
  }
  const api = await openApi(context, machine);
  const key = await api.call(keyCreatedSchema, {
    method: 'POST',
    path: '/api/v1/keys',
    body: wanted.data,
  });
  if (context.json) context.out(JSON.stringify(key));
  // With --quiet the secret, not the id: it is what a script came for, and it holds the id.
  else if (context.quiet) context.out(key.secret);
  else if (context.isTerminal) {
    context.out(`${shape('ok', context)} ${escapeControl(`${key.id}  ${key.name}`)}`);
    context.out(key.secret);
    context.note('Shown only now; what is kept is a digest.');
  } else {
    context.out('id\tname\texpires_at\tsecret');
    const cells = [key.id, key.name, key.expires_at ?? '', key.secret];
    context.out(cells.map((cell) => escapeControl(cell).replaceAll('\t', ' ')).join('\t'));
  }
}

function pathOf(id: string): string {
  return `/api/v1/keys/${encodeURIComponent(id)}`;
}

function addCreate(noun: Command, surroundings: Surroundings): void {
  const command = describe(noun.command('create').alias('add'), {
    summary: 'make an API key',
    description:
      'Makes an API key and shows its secret, once. Without --permission it can use models; it expires after 90 days unless told otherwise. --quiet prints the secret alone.',
    examples: [
      'tensorforge keys create --name ci',
      "tensorforge keys create --name notebook --models 'llama3*' --expires-in-days 7",
      'tensorforge keys create --name ops --admin --never-expires',
    ],
  })
    .requiredOption('--name <name>', 'What it is for.')
    .option('--permission <permission>', 'What it may do; may be repeated.', repeated)
    .option('--admin', 'Every permission.')
    .option('--models <glob>', 'Models it may use; may be repeated. Default: all.', repeated)
    .option('--expires-in-days <n>', 'Default: 90.', wholeNumber(1, 36_500))
    .option('--never-expires', 'No expiry.');
  runs(command, surroundings, (context, _, self) =>
    create(context, surroundings, self.opts<CreateFlags>()),
  );
}

export function addKeyCommands(program: Command, surroundings: Surroundings): void {
  const noun = describe(program.command('keys').alias('key'), {
    summary: 'API keys: list, create, show, revoke',
    examples: ['tensorforge keys list', 'tensorforge keys create --name ci'],
  });
  bareNoun(noun, surroundings, (context) => printKeys(context, surroundings));
  const list = describe(noun.command('list').alias('ls'), {
    summary: 'list the API keys',
    examples: ['tensorforge keys list', 'tensorforge keys list --json'],
  });
  runs(list, surroundings, (context) => printKeys(context, surroundings));
  addCreate(noun, surroundings);
  const show = describe(noun.command('show <key>').alias('status'), {
    summary: 'show one API key; never its secret',
    examples: [
      'tensorforge keys show key_k3v7qz2mnb4a',
      'tensorforge keys show key_k3v7qz2mnb4a --json',
    ],
  });
  runs(show, surroundings, async (context, [id = '']) => {
    const { keyViewSchema } = await schemas();
    const api = await openApi(context, surroundings.machine);
    const key = await api.call(keyViewSchema, { method: 'GET', path: pathOf(id) });
    const columns = columnsFor(context);
    printListing(context, { rows: [key], columns, id: (row) => row.id, json: key, empty: '' });
  });
  const revoke = describe(noun.command('revoke <key>').alias('remove').alias('rm'), {
    summary: 'end an API key at once and for ever',
    description:
      'Ends an API key: within a second no request with it is accepted. This cannot be undone; make another key instead.',
    examples: [
      'tensorforge keys revoke key_k3v7qz2mnb4a',
      'tensorforge keys revoke key_k3v7qz2mnb4a --quiet',
    ],
  });
  runs(revoke, surroundings, async (context, [id = '']) => {
    const { z } = await import('zod');
    const api = await openApi(context, surroundings.machine);
    await api.call(z.unknown(), { method: 'DELETE', path: pathOf(id) });
    if (context.json) context.out(JSON.stringify({ revoked: id }));
    else if (context.quiet) context.out(id);
    else context.out(`${shape('off', context)} ${escapeControl(id)} revoked`);
  });
}
