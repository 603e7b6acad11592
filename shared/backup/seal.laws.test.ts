import { beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { McprtError } from '../errors.js';
import { holds, holdsInTheEnd, seed } from '../testing/law.js';
import { type BackupKey, makeKeys, type RestoreKey, readBackupKey, readRestoreKey } from './keys.js';
import { authenticate, openBackup, sealBackup } from './seal.js';
import type { Snapshot } from './snapshot.js';
import { type BackupContext, schema, signStatement, verifyStatement } from './statement.js';

const unmasked = (): void => undefined;
let keys: { backup: BackupKey; restore: RestoreKey };
beforeAll(async () => {
  const made = await makeKeys('classic');
  keys = { backup: readBackupKey(made.backup, unmasked), restore: readRestoreKey(made.restore, unmasked) };
});

const count = fc.nat({ max: 10_000 });
const time = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const context: fc.Arbitrary<Omit<BackupContext, 'recipients'>> = fc.record({
  schema: fc.constantFrom('mcprt.backup/1', schema),
  repository: fc.string(),
  repositoryId: fc.string(),
  workflow: fc.string({ unit: 'binary' }),
  runId: fc.string(),
  runAttempt: fc.string(),
  fingerprint: fc.string({ minLength: 1 }),
  domain: fc.string(),
  layout: fc.constantFrom('mono', 'split', 'unknown'),
  generation: fc.integer({ min: 1, max: 2 ** 31 }),
  createdAt: time,
  expiresAt: time,
  previous: fc.string(),
  inventory: fc.record({ certificates: count, secrets: count, configMaps: count, namespaces: count }),
  certManager: fc.string(),
  tool: fc.string(),
});
const values = fc.dictionary(
  fc.stringMatching(/^[a-zA-Z][a-zA-Z0-9_]{0,20}$/),
  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64')),
  { minKeys: 1, maxKeys: 5 },
);
const name = fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/);
/** Account keys of issuers, of which a cluster may have any number under any name. */
const snapshot: fc.Arbitrary<Snapshot> = fc
  .uniqueArray(fc.record({ name, data: values }), { maxLength: 4, selector: (one) => one.name })
  .map((secrets) => ({
    objects: secrets.map(({ name, data }) => ({
      roles: ['account-key'],
      object: { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: 'cert-manager', name }, type: 'Opaque', data },
    })),
    certificates: [],
    ledger: [],
  }));

describe(`a sealed backup (seed ${seed})`, () => {
  it('opens to what was sealed, whatever that is', async () => {
    await holdsInTheEnd(
      fc.asyncProperty(snapshot, context, async (content, about) => {
        const sealed = await sealBackup(content, { ...about, schema }, keys.backup);
        const authentic = await authenticate(sealed, keys.restore.signers);
        expect(authentic.context).toMatchObject({ ...about, schema });
        expect(await openBackup(authentic, keys.restore)).toEqual(content);
      }),
      25,
    );
  });

  it('is refused with any bit of it turned, and cut off anywhere', async () => {
    const [content] = fc.sample(snapshot, { numRuns: 1, seed });
    const [about] = fc.sample(context, { numRuns: 1, seed });
    if (content === undefined || about === undefined) throw new Error('there is a sample');
    const sealed = await sealBackup(content, { ...about, schema }, keys.backup);
    const refused = async (bytes: Buffer): Promise<void> => {
      const outcome = await authenticate(bytes, keys.restore.signers).catch((error: unknown) => error);
      expect(outcome).toBeInstanceOf(McprtError);
      expect((outcome as McprtError).code).toMatch(/^backup-/);
    };
    await holdsInTheEnd(
      fc.asyncProperty(fc.nat({ max: sealed.length * 8 - 1 }), async (bit) => {
        const changed = Buffer.from(sealed);
        changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        await refused(changed);
      }),
      150,
    );
    await holdsInTheEnd(
      fc.asyncProperty(fc.nat({ max: sealed.length - 1 }), (length) => refused(sealed.subarray(0, length))),
      50,
    );
  });
});

describe(`a signed statement (seed ${seed})`, () => {
  const digest = fc.stringMatching(/^[0-9a-f]{64}$/);

  it('is read as it was written', () => {
    holds(
      fc.property(context, digest, (about, payload) => {
        const whole = { ...about, recipients: ['a'] };
        const verified = verifyStatement(
          Buffer.from(signStatement(whole, payload, keys.backup.signer)),
          keys.restore.signers,
        );
        expect(verified).toMatchObject({ context: whole, payloadDigest: payload });
      }),
      100,
    );
  });

  it('is refused with any byte of it changed', () => {
    const [about] = fc.sample(context, { numRuns: 1, seed });
    if (about === undefined) throw new Error('there is a sample');
    const envelope = Buffer.from(signStatement({ ...about, recipients: ['a'] }, 'a'.repeat(64), keys.backup.signer));
    holds(
      fc.property(fc.nat({ max: envelope.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const changed = Buffer.from(envelope);
        changed.writeUInt8(changed.readUInt8(at) ^ by, at);
        expect(() => verifyStatement(changed, keys.restore.signers)).toThrow(McprtError);
      }),
      300,
    );
  });
});
