import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkJsonContent } from './content-check.ts';

function codeOf(contentType: string | undefined, contentEncoding?: string, contentTypeCount = 1) {
  return checkJsonContent({ contentType, contentTypeCount, contentEncoding })?.code;
}

describe('checkJsonContent', () => {
  for (const coding of ['gzip', 'br', 'gzip, identity', 'identity, identity', '']) {
    it(`case 177: refuses the content encoding ${JSON.stringify(coding)}`, () => {
      assert.equal(codeOf('application/json', coding), 'unsupported_content_encoding');
    });
  }

  const refused: readonly (readonly [string, string | undefined])[] = [
    ['178: text', 'text/plain'],
    ['178: no type', undefined],
    ['178: another charset', 'application/json; charset=utf-16'],
    ['178: a tab inside', 'application/json\t; charset=utf-8'],
    ['178: two types in one line', 'application/json, text/plain'],
    ['178: a prefix', 'application/json-seq'],
    ['178: an unknown parameter', 'application/json; a=b'],
    ['179: multipart', 'multipart/form-data; boundary=x'],
  ];
  for (const [name, type] of refused) {
    it(`case ${name}`, () => assert.equal(codeOf(type), 'unsupported_media_type'));
  }

  it('case 178: refuses two content types', () => {
    assert.equal(codeOf('application/json', undefined, 2), 'unsupported_media_type');
  });

  it('takes JSON in UTF-8 in every letter case', () => {
    for (const type of ['application/json', 'Application/JSON;charset=UTF-8']) {
      assert.equal(codeOf(type), undefined);
    }
    assert.equal(codeOf('application/json; charset="utf-8"', 'Identity'), undefined);
  });
});
