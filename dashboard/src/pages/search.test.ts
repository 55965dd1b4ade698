// Goal: every address opens a page; what is not understood is named, and none leads off this site.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  parseAuditSearch,
  parseFleetSearch,
  parseLoginSearch,
  parseReplaySearch,
  parseRequestsSearch,
} from './search.ts';

const nothing = {
  state: undefined,
  text: undefined,
  view: undefined,
  peek: undefined,
  dropped: undefined,
};

test('known parameters are kept and unknown values are named', () => {
  const kept = { state: '!ok', text: 'type:vllm', view: 'models', peek: 'box-2' };
  assert.deepEqual(parseFleetSearch(kept), { ...nothing, ...kept });
  assert.deepEqual(parseFleetSearch({ state: 'purple', other: 1 }), {
    ...nothing,
    dropped: 'purple',
  });
  assert.equal(parseFleetSearch({ view: 'globe' }).dropped, 'globe');
  assert.deepEqual(parseRequestsSearch({ show: 'failed', backend: 7 }), {
    show: 'failed',
    backend: '7',
    dropped: undefined,
  });
  assert.equal(parseRequestsSearch({ show: '<script>' }).dropped, '<script>');
});

test('an address that the router wrote back after parsing is parsed to the same', () => {
  for (const raw of [
    { state: 'purple' },
    { state: 'draining', peek: 'a' },
    { text: 'x', view: 'models' },
    {},
  ]) {
    const once = parseFleetSearch(raw);
    assert.deepEqual(parseFleetSearch(once), once);
  }
});

test('a backend whose id looks like a number is still found', () => {
  assert.equal(parseFleetSearch({ peek: 7 }).peek, '7');
});

test('values of other types are dropped without an exception', () => {
  for (const value of [null, {}, [], undefined, '']) {
    assert.deepEqual(parseFleetSearch({ state: value, peek: value }), nothing);
  }
});

test('after signing in one returns to a page of this site or to the first page', () => {
  assert.equal(parseLoginSearch({ next: '/requests/req_1?x=1' }).next, '/requests/req_1?x=1');
  const foreign = ['//evil.example', '/\\evil.example', 'https://evil.example', 'javascript:1'];
  for (const next of [...foreign, '/\t/evil.example', '/a\\b', '/login', '', 5]) {
    assert.deepEqual(parseLoginSearch({ next }), { next: undefined }, String(next));
  }
});

test('Audit and Replay show the last day when no window, or none that is known, is asked for', () => {
  assert.equal(parseAuditSearch({}).range, '24h');
  assert.equal(parseAuditSearch({ range: '7d', stream: 'policy' }).range, '7d');
  assert.deepEqual(parseAuditSearch({ range: 'ever', peek: 'policy/3' }), {
    range: '24h',
    stream: undefined,
    kind: undefined,
    peek: 'policy/3',
    dropped: 'ever',
  });
  assert.equal(parseReplaySearch({ range: '30d' }).dropped, '30d');
  assert.equal(parseReplaySearch({ range: 'all', id: 'rp_1' }).id, 'rp_1');
  for (const parse of [parseAuditSearch, parseReplaySearch]) {
    const once = parse({ range: 'ever' });
    assert.deepEqual(parse(once), once);
  }
});
