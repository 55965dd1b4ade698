// Goal: a browser whose language is no language tag can still show charts.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fallbackLanguage, guardLanguage, isUsableLanguage } from './locale-guard.ts';

test('a POSIX locale is refused by Intl and replaced', () => {
  assert.equal(isUsableLanguage('en-US@posix'), false);
  const navigatorLike = { language: 'en-US@posix' };
  guardLanguage(navigatorLike);
  assert.equal(navigatorLike.language, fallbackLanguage);
});

test('a getter on the prototype, as in browsers, is shadowed too', () => {
  class NavigatorLike {
    get language(): string {
      return 'C@posix';
    }
  }
  const navigatorLike = new NavigatorLike();
  guardLanguage(navigatorLike);
  assert.equal(navigatorLike.language, fallbackLanguage);
});

test('a usable language is left alone', () => {
  const navigatorLike = { language: 'de-CH' };
  guardLanguage(navigatorLike);
  assert.equal(navigatorLike.language, 'de-CH');
});
