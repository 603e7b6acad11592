import { createPublicKey } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { packArchive } from './archive.js';
import { makeKeys, readBackupKey, readRestoreKey } from './keys.js';
import { authenticate, openBackup, sealBackup } from './seal.js';
import { type BackupContext, schema, signStatement } from './statement.js';

const unmasked = (): void => undefined;
const context: Omit<BackupContext, 'recipients'> = {
  schema,
  repository: 'a/b',
  repositoryId: '1',
  workflow: 'w',
  runId: '1',
  runAttempt: '1',
  fingerprint: 'f',
  domain: 'example.com',
  layout: 'split',
  generation: 1,
  createdAt: '2026-11-24T12:00:00Z',
  expiresAt: '2026-11-24T12:00:00Z',
  previous: '',
  inventory: { certificates: 0, secrets: 0, configMaps: 0, namespaces: 0 },
  certManager: '',
  tool: 't',
};
const empty = { objects: [], certificates: [], ledger: [] };

describe('a sealed backup', () => {
  it('opens for its key, and holds what was sealed', async () => {
    const made = await makeKeys('classic');
    const sealed = await sealBackup(empty, context, readBackupKey(made.backup, unmasked));
    const key = readRestoreKey(made.restore, unmasked);
    expect(await openBackup(await authenticate(sealed, key.signers), key)).toEqual(empty);
  });

  it('is refused when another context was signed around its content', async () => {
    const made = await makeKeys('classic');
    const backupKey = readBackupKey(made.backup, unmasked);
    const key = readRestoreKey(made.restore, unmasked);
    const {
      archive,
      payloadDigest,
      context: own,
    } = await authenticate(await sealBackup(empty, context, backupKey), key.signers);
    const statement = Buffer.from(signStatement({ ...own, generation: 9 }, payloadDigest, backupKey.signer));
    const forged = await authenticate(await packArchive({ ...archive, statement }), [
      createPublicKey(backupKey.signer),
    ]);
    await expect(openBackup(forged, key)).rejects.toMatchObject({ code: 'backup-inner' });
  });
});
