// Goal: only what speaks against the backend counts against it. Method: the table of all endings.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AttemptEnd, type BreakerEffect, breakerEffect } from './breaker-effect.ts';

const status = (code: number, isOptionalRoute = false): AttemptEnd => ({
  kind: 'status',
  status: code,
  isOptionalRoute,
});

const table: readonly (readonly [AttemptEnd, BreakerEffect])[] = [
  [{ kind: 'served' }, 'success'],
  [{ kind: 'unusable' }, 'failure'],
  [{ kind: 'abandoned' }, 'none'],
  [{ kind: 'upstream', failure: 'connect' }, 'failure'],
  [{ kind: 'upstream', failure: 'dns' }, 'failure'],
  [{ kind: 'upstream', failure: 'tls' }, 'failure'],
  [{ kind: 'upstream', failure: 'reset' }, 'failure'],
  [{ kind: 'upstream', failure: 'short' }, 'failure'],
  [{ kind: 'upstream', failure: 'malformed' }, 'failure'],
  [{ kind: 'upstream', failure: 'too_large' }, 'failure'],
  [{ kind: 'upstream', failure: 'aborted' }, 'none'],
  [{ kind: 'timeout', timer: 'connect' }, 'failure'],
  [{ kind: 'timeout', timer: 'headers' }, 'failure'],
  [{ kind: 'timeout', timer: 'first_token' }, 'failure'],
  [{ kind: 'timeout', timer: 'idle' }, 'failure'],
  [{ kind: 'timeout', timer: 'total' }, 'none'],
  [status(200), 'success'],
  [status(302), 'failure'],
  [status(400), 'none'],
  [status(401), 'none'],
  [status(403), 'none'],
  [status(404), 'none'],
  [status(404, true), 'none'],
  [status(405, true), 'none'],
  [status(408), 'none'],
  [status(429), 'none'],
  [status(500), 'failure'],
  [status(501), 'failure'],
  [status(501, true), 'none'],
  [status(502), 'failure'],
  [status(503), 'failure'],
];

for (const [end, effect] of table) {
  test(`${Object.values(end).join(' ')} is ${effect} for the breakers`, () => {
    assert.equal(breakerEffect(end), effect);
  });
}
