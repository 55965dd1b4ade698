// The embedded server's two configuration files, written anew at each start so that a new release
// brings its settings along. No TCP, passwords by SCRAM only, sized for one machine's control plane.

import type { SocketPlace } from './socket-directory.ts';

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function serverConfiguration(major: number, socket: SocketPlace): string {
  const settings: readonly (readonly [string, string])[] = [
    ['listen_addresses', quoted('')],
    ['unix_socket_directories', quoted(socket.directory)],
    ['unix_socket_permissions', '0700'],
    ['port', '5432'],
    ['password_encryption', quoted('scram-sha-256')],
    // 32 for the pool, the rest for migrations, operators and the reserve of the superuser.
    ['max_connections', '50'],
    ['shared_buffers', quoted('64MB')],
    ['max_parallel_workers', '2'],
    ['max_worker_processes', '2'],
    ['max_logical_replication_workers', '0'],
    ['jit', 'off'],
    ['fsync', 'on'],
    ['synchronous_commit', 'on'],
    // There is no replica; the log only has to recover from a crash.
    ['wal_level', 'minimal'],
    ['max_wal_senders', '0'],
    ['min_wal_size', quoted('80MB')],
    ['max_wal_size', quoted('512MB')],
    ['timezone', quoted('UTC')],
    ['log_timezone', quoted('UTC')],
    ['lc_messages', quoted('C')],
    ['log_destination', quoted('stderr')],
    ['logging_collector', 'off'],
    ['log_line_prefix', quoted('%m [%p] ')],
    ['log_checkpoints', 'off'],
    // Values of statements may be credentials' hashes or people's names: never in the log.
    ['log_parameter_max_length', '0'],
    ['log_parameter_max_length_on_error', '0'],
    // Worker processes for reading ahead are not worth their memory here.
    ...(major >= 18 ? ([['io_method', quoted('sync')]] as const) : []),
  ];
  return [
    '# Written by TensorForge at every start; changes here are lost.',
    ...settings.map(([name, value]) => `${name} = ${value}`),
    '',
  ].join('\n');
}

export const hostBasedAuthentication = [
  '# Written by TensorForge at every start; changes here are lost.',
  'local all all scram-sha-256',
  '',
].join('\n');
