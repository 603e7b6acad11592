import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { packArchive } from './archive.js';
import { makeKeys, readBackupKey, readRestoreKey } from './keys.js';
import { authenticate, openBackup, sealBackup } from './seal.js';
import type { Snapshot } from './snapshot.js';
import { type BackupContext, schema, signStatement, verifyStatement } from './statement.js';

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

  it('is not sealed for nobody, nor for somebody who is none', async () => {
    const key = readBackupKey((await makeKeys('classic')).backup, unmasked);
    for (const recipients of [[], ['age1nobody'], [...key.recipients, 'x']]) {
      await expect(sealBackup(empty, context, { ...key, recipients })).rejects.toMatchObject({ code: 'key-invalid' });
    }
  });

  it('tells a key of another set from a content that is damaged under a valid signature', async () => {
    const [made, other] = await Promise.all([makeKeys('classic'), makeKeys('classic')]);
    const backupKey = readBackupKey(made.backup, unmasked);
    const key = readRestoreKey(made.restore, unmasked);
    const sealed = await authenticate(await sealBackup(empty, context, backupKey), key.signers);
    await expect(openBackup(sealed, readRestoreKey(other.restore, unmasked))).rejects.toMatchObject({
      code: 'key-mismatch',
    });
    const payload = Buffer.from(sealed.archive.payload);
    payload.writeUInt8((payload.at(-1) ?? 0) ^ 1, payload.length - 1);
    await expect(openBackup({ ...sealed, archive: { ...sealed.archive, payload } }, key)).rejects.toMatchObject({
      code: 'backup-undecryptable',
    });
    await expect(
      openBackup(sealed, { ...key, identities: [{ text: 'AGE-SECRET-KEY-1Q', line: 1 }] }),
    ).rejects.toMatchObject({
      code: 'key-invalid',
      message: expect.stringContaining('the restore key cannot be read'),
    });
    const two = [...key.identities, { text: 'AGE-SECRET-KEY-1Q', line: 2 }];
    await expect(openBackup(sealed, { ...key, identities: two })).rejects.toMatchObject({
      message: expect.stringMatching(/line 2 of `restore-key`/),
    });
  });

  it('is as long as others of about its size', async () => {
    const key = readBackupKey((await makeKeys('classic')).backup, unmasked);
    const holding = (bytes: number): Snapshot => {
      const metadata = { namespace: 'cert-manager', name: 'account' };
      const data = { key: Buffer.alloc(bytes).toString('base64') };
      const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data };
      return { ...empty, objects: [{ roles: ['account-key'], object }] };
    };
    const lengths = await Promise.all(
      [1, 3_000, 9_000, 12_000].map(async (bytes) => (await sealBackup(holding(bytes), context, key)).length),
    );
    const [one, two, three, four] = lengths;
    expect([two, three]).toEqual([one, one]);
    // What is more than a block takes another one.
    expect(four).toBeGreaterThan((one ?? 0) + 16_000);
  });

  it('is refused when its payload is another than was signed', async () => {
    const made = await makeKeys('classic');
    const { signers } = readRestoreKey(made.restore, unmasked);
    const { archive } = await authenticate(
      await sealBackup(empty, context, readBackupKey(made.backup, unmasked)),
      signers,
    );
    const swapped = await packArchive({ ...archive, payload: Buffer.concat([archive.payload, Buffer.from('x')]) });
    await expect(authenticate(swapped, signers)).rejects.toMatchObject({ code: 'backup-digest' });
  });
});

describe('a statement', () => {
  const { privateKey: signer, publicKey } = generateKeyPairSync('ed25519');
  const other = generateKeyPairSync('ed25519').publicKey;
  const digest = 'ab'.repeat(32);
  const full = { ...context, recipients: ['r'] };
  const signed = signStatement(full, digest, signer);
  const verify = (text: string | Buffer, signers = [publicKey]) => verifyStatement(Buffer.from(text), signers);
  const changed = (change: (envelope: Record<string, unknown>) => object): string =>
    JSON.stringify({ ...JSON.parse(signed), ...change(JSON.parse(signed)) });
  /** Signed as it is, whatever it says. */
  const saying = (change: object): string => signStatement({ ...full, ...change } as BackupContext, digest, signer);

  it('is what was signed', () => {
    expect(verify(signed, [other, publicKey])).toMatchObject({ context: full, payloadDigest: digest });
  });

  it('is refused with its reason', () => {
    const refused = (text: string | Buffer, signers = [publicKey]): unknown => {
      try {
        return verify(text, signers);
      } catch (error) {
        return error instanceof McprtError ? `${error.code}: ${error.why}` : error;
      }
    };
    expect(refused(signed, [other])).toMatch(
      /^backup-unsigned: it is signed by [0-9a-f]{32}; trusted are [0-9a-f]{32}$/,
    );
    expect(refused(changed(() => ({ signatures: [] })))).toMatch(/^backup-unsigned: it is signed by nobody/);
    expect(refused(changed(({ payload }) => ({ payload: `${String(payload).slice(0, -4)}AAAA` })))).toMatch(
      /^backup-signature/,
    );
    expect(refused(saying({ schema: 'mcprt.backup/3' }))).toMatch(/^backup-schema/);
    for (const known of ['mcprt.backup/1', schema]) expect(refused(saying({ schema: known }))).toHaveProperty('digest');
    expect(refused('{')).toMatch(/^backup-malformed: statement.dsse.json is not JSON/);
    expect(refused('{}')).toMatch(/^backup-malformed: statement.dsse.json: payloadType: /);
    expect(refused(`${signed} `)).toMatch(/^backup-malformed: statement.dsse.json is not written as mcprt writes it/);
    expect(refused(saying({ generation: 0 }))).toMatch(/^backup-malformed: the statement: predicate.generation: /);
    expect(refused(Buffer.alloc(256 * 1024, ' '))).toMatch(/is not JSON/);
    expect(refused(Buffer.alloc(256 * 1024 + 1, ' '))).toMatch(/larger than any statement/);
    const many = changed(({ signatures }) => ({ signatures: Array(9).fill((signatures as unknown[])[0]) }));
    expect(refused(many)).toMatch(/^backup-malformed: statement.dsse.json: signatures/);
  });

  it('holds where one of its signatures does', () => {
    const foreign = JSON.parse(signStatement({ ...full, generation: 2 }, digest, signer)) as { signatures: object[] };
    const both = changed(({ signatures }) => ({ signatures: [...foreign.signatures, ...(signatures as object[])] }));
    expect(verify(both)).toMatchObject({ context: full });
  });
});
