// Goal: what decisions go by comes back from the document as it went in. Method: settings with prices and
// experiments, written, read again as JSON.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type RoutingSettings, usualSettings } from '../routing/snapshot.ts';
import { JsonReader } from './json-reader.ts';
import { readSettings, settingsDocument } from './settings-document.ts';

const price = {
  inputPerMillion: 2_500_000,
  cachedInputPerMillion: 1_250_000,
  outputPerMillion: 10_000_000,
  perGpuSecond: 0,
};
const full: RoutingSettings = {
  ...usualSettings,
  strategy: 'cost',
  prices: [
    { model: 'gpt-*', backend: undefined, ...price },
    { model: undefined, backend: 'box-*', ...price, perGpuSecond: 800 },
  ],
  splits: [
    {
      name: 'tone',
      model: 'chat*',
      salt: 'second try',
      arms: [
        { name: 'production', model: 'chat', basisPoints: 9000 },
        { name: 'canary', model: 'chat-next', basisPoints: 1000 },
      ],
    },
  ],
};

it('settings with prices and experiments come back as they were', () => {
  const reader = new JsonReader();
  const document = JSON.parse(JSON.stringify(settingsDocument(full)));
  assert.deepEqual(readSettings(reader, document), full);
  assert.deepEqual(reader.violations, []);
});

it('what happens beside decisions is no part of them', () => {
  const shadowed = {
    ...usualSettings,
    degradation: { ...usualSettings.degradation, enabled: true },
  };
  assert.deepEqual(settingsDocument(shadowed), settingsDocument(usualSettings));
});
