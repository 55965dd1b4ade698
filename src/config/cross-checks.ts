// Rules that hold between options. They run after every option was read, so that they are told
// together with the faults of single options.

import type { CrossFault } from './cross-fault.ts';
import type { Configuration } from './options.ts';
import { trafficFaults } from './traffic-checks.ts';

/** Is this host reached from this machine only? */
function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  return name === 'localhost' || name === '::1' || /^127\.\d+\.\d+\.\d+$/.test(name);
}

function listenerFaults({ server }: Configuration): CrossFault[] {
  const faults: CrossFault[] = [];
  const hasCert = server.tlsCert !== undefined;
  const hasKey = server.tlsKey !== undefined;
  if (hasCert !== hasKey) {
    const missing = hasCert ? 'server.tls_key' : 'server.tls_cert';
    const present = hasCert ? 'server.tls_cert' : 'server.tls_key';
    faults.push({
      path: missing,
      value: '',
      expected: `a file, because ${present} is set; TLS needs both or none`,
      depends: [present],
    });
  }
  const isProtected = (hasCert && hasKey) || server.behindTlsProxy;
  if (!isLoopbackHost(server.host) && !isProtected) {
    faults.push({
      path: 'server.host',
      value: server.host,
      expected:
        'a loopback address, or TLS (--tls-cert with --tls-key) or --behind-tls-proxy: off loopback API keys would travel in clear text',
      depends: ['server.tls_cert', 'server.tls_key', 'server.behind_tls_proxy'],
    });
  }
  if (server.connectionsPerAddress > server.connections) {
    faults.push({
      path: 'server.connections_per_address',
      value: String(server.connectionsPerAddress),
      expected: `at most server.connections, ${server.connections}`,
      depends: ['server.connections'],
    });
  }
  return faults;
}

function weightFaults({ routing }: Configuration): CrossFault[] {
  const { priority, load, latency } = routing.weights;
  const sum = priority + load + latency;
  if (sum === 100) return [];
  return [
    {
      path: 'routing.weights',
      value: `${priority} + ${load} + ${latency} = ${sum}`,
      expected: 'three weights that sum to 100',
      depends: ['priority', 'load', 'latency'].map((name) => `routing.weights.${name}`),
    },
  ];
}

const longestChain = 3;

/** Cycles and chains of more than three steps; each cycle is told once, from its first alias. */
function aliasFaults(aliases: Readonly<Record<string, string>>): CrossFault[] {
  const faults: CrossFault[] = [];
  const told = new Set<string>();
  for (const start of Object.keys(aliases)) {
    const chain = [start];
    let at = aliases[start];
    while (at !== undefined && !chain.includes(at)) {
      chain.push(at);
      at = Object.hasOwn(aliases, at) ? aliases[at] : undefined;
    }
    const base = { path: `routing.aliases.${start}`, depends: ['routing.aliases'] };
    const steps = ['routing', 'aliases', start];
    const value = aliases[start] ?? '';
    if (at !== undefined) {
      if (chain.some((name) => told.has(name))) continue;
      for (const name of chain) told.add(name);
      const expected = `no cycle: Circular alias detected: '${start}' eventually points back to '${at}'`;
      faults.push({ ...base, steps, value, expected });
    } else if (chain.length - 1 > longestChain) {
      const expected = `at most ${longestChain} steps, not ${chain.join(' -> ')}`;
      faults.push({ ...base, steps, value, expected });
    }
  }
  return faults;
}

/** A model that stands in for itself, and one that stands in twice. */
function fallbackFaults(fallbacks: Readonly<Record<string, readonly string[]>>): CrossFault[] {
  return Object.entries(fallbacks).flatMap(([model, others]) =>
    others.flatMap((other, i) => {
      const isSelf = other === model;
      if (!isSelf && others.indexOf(other) === i) return [];
      return [
        {
          path: `routing.fallbacks.${model}[${i}]`,
          value: other,
          expected: isSelf ? 'another model than the one it stands in for' : 'each model once',
          depends: ['routing.fallbacks'],
          steps: ['routing', 'fallbacks', model, i],
        },
      ];
    }),
  );
}

/** What two addresses of one server have in common: no default port, no final `/v1`. */
function rootOf(url: string): string {
  return new URL(url).href.replace(/(\/v1|\/)+$/, '');
}

function backendFaults({ backends }: Configuration): CrossFault[] {
  const faults: CrossFault[] = [];
  for (const member of ['name', 'url'] as const) {
    const first = new Map<string, number>();
    for (const [index, backend] of backends.entries()) {
      const text = member === 'url' ? rootOf(backend.url) : backend.name.toLowerCase();
      const earlier = first.get(text);
      if (earlier === undefined) {
        first.set(text, index);
        continue;
      }
      faults.push({
        path: `backends[${index}].${member}`,
        value: backend[member],
        expected: `a ${member} of its own; backends[${earlier}] has this one`,
        depends: ['backends'],
        steps: ['backends', index, member],
      });
    }
  }
  return faults;
}

/** Every broken rule between options. */
export function crossFaults(config: Configuration): CrossFault[] {
  const { healthCheck } = config;
  const faults = [
    ...listenerFaults(config),
    ...weightFaults(config),
    ...aliasFaults(config.routing.aliases),
    ...fallbackFaults(config.routing.fallbacks),
    ...backendFaults(config),
    ...trafficFaults(config.routing),
  ];
  if (healthCheck.timeoutSeconds > healthCheck.intervalSeconds) {
    faults.push({
      path: 'health_check.timeout_seconds',
      value: String(healthCheck.timeoutSeconds),
      expected: `at most health_check.interval_seconds, ${healthCheck.intervalSeconds}`,
      depends: ['health_check.interval_seconds'],
    });
  }
  return faults;
}
