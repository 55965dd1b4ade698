// Group 0, configuration: documented samples, and merging, validating and flags in both directions.

import { equal, refuses, that } from '../expectations.ts';
import { cycled, type Group, turn } from './group.ts';

const accepted = [
  'http://localhost:8120',
  'https://tensorforge.internal',
  'http://10.0.0.1/health',
  'https://admin.tensorforge.internal:8443/v1',
];
const refused = ['ftp://files.internal', 'ws://stream.internal', '', 'localhost:8120'];
const names = ['PRODUCTION', 'Staging', 'DevelopMent', 'test'];
const priorities = [
  ['production', 100],
  ['Staging', 75],
  ['development', 50],
  ['TEST', 25],
  ['elsewhere', 0],
] as const;
const faults = [
  ['an empty name', { name: '' }],
  ['a port of 0', { port: 0 }],
  ['a time-out of 0', { timeout_ms: 0 }],
] as const;

export const configGroup: Group = {
  name: 'config',
  check({ config }, i) {
    equal('default region', config.default_region(), 'us-east-1');
    equal('default pool size', config.default_pool_size(), 32);

    that('a valid endpoint is accepted', config.validate_endpoint(cycled(accepted, i)));
    that('an invalid endpoint is refused', !config.validate_endpoint(cycled(refused, i)));
    that('the scheme must stand first', !config.validate_endpoint(`data:,${cycled(accepted, i)}`));

    const name = cycled(names, i);
    equal('environment in lower case', config.normalize_env_name(name), name.toLowerCase());
    that('production by name', config.is_production('production') && config.is_production('PROD'));
    equal('no other environment is production', config.is_production('staging'), false);
    const [environment, priority] = cycled(priorities, i);
    equal('priority of the environment', config.config_priority(environment), priority);
    equal(
      'connection string',
      config.build_connection_string('db', 5000 + (i % 1000), `t${i}`),
      `postgres://db:${5000 + (i % 1000)}/t${i}`,
    );

    const base = config.ServiceConfig(`service-${i}`);
    const before = { ...base };
    const merged = config.merge_configs(base, {
      port: String(1024 + (i % 5000)),
      timeout_ms: String(1000 + i),
      max_retries: turn(i) % 2 === 0 ? '-1' : 'many',
      pool_size: String(1 + (i % 64)),
      region: `region-${i % 7}`,
      shape: 'unknown',
    });
    equal('overrides replace, bad text is ignored', merged, {
      ...before,
      port: 1024 + (i % 5000),
      timeout_ms: 1000 + i,
      pool_size: 1 + (i % 64),
      region: `region-${i % 7}`,
    });
    equal('the base stays as it was', base, before);
    equal('what was merged is valid', config.validate_config(merged), null);
    const [fault, facts] = cycled(faults, i);
    refuses(fault, () => config.validate_config({ ...merged, ...facts }));

    const flags = Array.from({ length: 1 + (i % 5) }, (_, at) => `flag-${(i * 7 + at * 3) % 101}`);
    const text = ` ${flags.join(' , ')},, `;
    equal('flags round trip', config.parse_feature_flags(text), [...new Set(flags)]);
    equal('no flags', config.parse_feature_flags(''), []);
  },
};
