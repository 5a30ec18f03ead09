import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bitmapOf, parseServiceValue } from '../../../extension/model/services';

test('a choice of services becomes a bitmap', () => {
  assert.deepEqual([bitmapOf([]), bitmapOf([0, 1]), bitmapOf([63])], ['0x0', '0x3', '0x8000000000000000']);
});

test('versions are read as people write them, numbers in both bases, and nothing else', () => {
  assert.deepEqual(parseServiceValue('version', ' 1.1 '), { value: '0x10001' });
  assert.deepEqual(parseServiceValue('version', '0x10000'), { value: '0x10000' });
  assert.deepEqual(parseServiceValue('level', '2'), { value: '0x2' });
  assert.ok('problem' in parseServiceValue('level', '1.1'));
  assert.ok('problem' in parseServiceValue('version', 'new'));
});
