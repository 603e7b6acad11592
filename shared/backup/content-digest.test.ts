import { beforeAll, describe, expect, it } from '@jest/globals';
import { contentDigest } from './content-digest.js';
import { type BackupKey, makeKeys, readBackupKey } from './keys.js';
import type { Snapshot } from './snapshot.js';

const snapshot = (password: string, ledger: Snapshot['ledger'] = []): Snapshot => ({
  objects: [
    {
      roles: ['platform-secret'],
      object: { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'n' }, data: { password } },
    },
  ],
  certificates: [],
  ledger,
});
let [key, other]: BackupKey[] = [];

beforeAll(async () => {
  [key, other] = await Promise.all(
    [0, 1].map(async () => readBackupKey((await makeKeys('classic')).backup, () => undefined)),
  );
});

const digest = (made: BackupKey | undefined, statement: string, held: Snapshot): string => {
  if (made === undefined) throw new Error('no key');
  return contentDigest(made, statement, held);
};

describe('the digest of what a backup holds', () => {
  it('is the same for the same, whatever the ledger says', () => {
    const entry = { identifiers: ['a'], serial: '1', at: '2026-01-01T00:00:00Z' };
    expect(digest(key, 'aa', snapshot('p', [entry]))).toBe(digest(key, 'aa', snapshot('p')));
    expect(digest(key, 'aa', snapshot('p'))).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is another one for another value, another statement, another key and other recipients', () => {
    const same = digest(key, 'aa', snapshot('p'));
    const wider = key && { ...key, recipients: [...key.recipients, ...(other?.recipients ?? [])] };
    const others = [
      digest(key, 'aa', snapshot('q')),
      digest(key, 'bb', snapshot('p')),
      digest(other, 'aa', snapshot('p')),
      digest(wider, 'aa', snapshot('p')),
    ];
    expect(new Set([same, ...others]).size).toBe(5);
  });
});
