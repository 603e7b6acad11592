import { expect, test } from '@jest/globals';
import { makeKeys } from '../../shared/backup/keys.js';
import { keyCanaries } from './canaries.js';
import { leakSearch } from './leaks.js';

test.each(['hybrid', 'classic'] as const)(
  '%s keys are found whole, in half and packed, and their format is no leak',
  async (kind) => {
    const keys = await makeKeys(kind);
    const search = leakSearch(keyCanaries('own', keys));
    for (const text of [keys.backup, keys.restore]) {
      expect(search.in(`before ${text} after`)).not.toEqual([]);
      expect(search.in(text.slice(0, 100))).not.toEqual([]);
      expect(search.in(Buffer.from(text).toString('base64'))).not.toEqual([]);
      expect(search.in(Buffer.from(text.split('.')[1] ?? '', 'base64url'))).not.toEqual([]);
    }
    // Names of recipients in a statement are hex: one of 85 continues the field's name as an age recipient does.
    for (const before of ['', ' ', '  ']) {
      const statement = `${before}{"signer":"MC4CAQAwBQYDK2VwBCIEI","recipients":["adc0ffee00112233","age1pq1`;
      expect(search.in(Buffer.from(statement).toString('base64url'))).toEqual([]);
    }
    expect(search.in('mcprt-backup-key-1.eyJzaWduZXIiOi and mcprt-restore-key-1.eyJpZGVudGl0aWVzIjpb')).toEqual([]);
  },
);
