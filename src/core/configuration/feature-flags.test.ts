// Goal: the row of A.1 about feature flags; lists as such are tested with the comma list.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseFeatureFlags } from './feature-flags.ts';

test('feature flags are a comma list without doubles, and an empty text has none', () => {
  assert.deepEqual(parseFeatureFlags(' b, a ,,b , c,'), ['b', 'a', 'c']);
  assert.deepEqual(parseFeatureFlags(''), []);
});
