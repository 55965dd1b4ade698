// The configuration routes of the control API: what is set and from where, is this text good, read
// the file again.

import { examineConfiguration, type Loaded } from '../config/load.ts';
import {
  configurationCheckRequestSchema,
  configurationCheckSchema,
  configurationReloadSchema,
  configurationView,
  configurationViewSchema,
} from '../config/view.ts';
import { type ControlRoute, json, needs } from '../io/http/control-route.ts';

/** What a configuration that was read again changed. */
export type Reloaded = {
  readonly applied: readonly string[];
  readonly needsRestart: readonly string[];
  readonly warnings: readonly string[];
};

export type ConfigRoutesOptions = {
  readonly current: () => Loaded;
  readonly file: string | undefined;
  /** Throws `config_invalid` with all faults. */
  readonly reload: () => Reloaded;
};

export function configRoutes(options: ConfigRoutesOptions): ControlRoute[] {
  const common = { service: 'gateway', needs: needs('config:write') } as const;
  return [
    {
      ...common,
      method: 'GET',
      path: '/api/v1/config',
      summary: 'Every option with its value and source; secrets are redacted',
      answer: configurationViewSchema,
      handle: () => {
        const { config, sources } = options.current();
        return json({ options: configurationView(config), sources, file: options.file ?? null });
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/api/v1/config/check',
      summary: 'Checks a configuration text without applying it',
      body: configurationCheckRequestSchema,
      answer: configurationCheckSchema,
      handle: (call) => {
        const { yaml } = configurationCheckRequestSchema.parse(call.body);
        const { faults, warnings } = examineConfiguration({ fileText: yaml, env: {}, flags: {} });
        return json({ valid: faults.length === 0, faults, warnings });
      },
    },
    {
      ...common,
      method: 'POST',
      path: '/api/v1/config/reload',
      summary: 'Reads the configuration file again and applies what can be applied',
      answer: configurationReloadSchema,
      handle: () => {
        const { applied, needsRestart, warnings } = options.reload();
        return json({ applied, needs_restart: needsRestart, warnings });
      },
    },
  ];
}
