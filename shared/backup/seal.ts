import { createHash, type KeyObject } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { McprtError } from '../errors.js';
import { type Archive, packArchive, unpackArchive } from './archive.js';
import { type BackupKey, type RestoreKey, recipientId } from './keys.js';
import { decodeSnapshot, encodeSnapshot, type Snapshot } from './snapshot.js';
import { type BackupContext, signStatement, type Verified, verifyStatement } from './statement.js';

/** Sizes are rounded up to this, so that the public ciphertext says little about its content. */
const blockBytes = 16 * 1024;

/** Encrypts a snapshot for the key's recipients and signs a statement over the result. Nothing touches the disk. */
export async function sealBackup(
  snapshot: Snapshot,
  context: Omit<BackupContext, 'recipients'>,
  key: BackupKey,
): Promise<Buffer> {
  const signed: BackupContext = { ...context, recipients: key.recipients.map(recipientId) };
  const { Encrypter } = await import('./age.js');
  const encrypter = new Encrypter();
  if (key.recipients.length === 0) {
    // The library would encrypt to nobody without a word.
    throw new McprtError('key-invalid', {
      what: 'the backup key has no recipients',
      why: 'nobody could read the backup',
      next: 'make new keys: docs/keys.md',
    });
  }
  for (const recipient of key.recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new McprtError('key-invalid', {
        what: 'a recipient of the backup key is not an age recipient',
        why: `recipient ${recipientId(recipient)} cannot be read`,
        next: 'give the backup key again, exactly as the file has it that the key command wrote: docs/keys.md',
      });
    }
  }
  const payload = Buffer.from(await encrypter.encrypt(padded(encodeSnapshot(snapshot, signed))));
  return packArchive({ statement: Buffer.from(signStatement(signed, sha256(payload), key.signer)), payload });
}

/** A backup whose signature and digest were checked, and that was not decrypted. */
export interface AuthenticBackup extends Verified {
  archive: Archive;
}

/**
 * Checks a stored backup as far as public keys can: signature, format, digest.
 *
 * @throws McprtError `backup-malformed`, `backup-unsigned`, `backup-signature`, `backup-schema`, `backup-digest`
 */
export async function authenticate(bytes: Buffer, signers: KeyObject[]): Promise<AuthenticBackup> {
  const archive = await unpackArchive(bytes);
  const verified = verifyStatement(archive.statement, signers);
  if (sha256(archive.payload) !== verified.payloadDigest) {
    throw new McprtError('backup-digest', {
      what: 'the backup’s content is not what was signed',
      why: 'its SHA-256 differs: it was damaged, cut off, or swapped for that of another backup',
      next: 'use another store or generation',
    });
  }
  return { ...verified, archive };
}

/**
 * Decrypts an authenticated backup and checks that the inside agrees with what was signed outside.
 *
 * @throws McprtError `key-mismatch`, `key-invalid`, `backup-undecryptable`, `backup-inner`, `backup-malformed`
 */
export async function openBackup(backup: AuthenticBackup, key: RestoreKey): Promise<Snapshot> {
  const { Decrypter, identityToRecipient } = await import('./age.js');
  const decrypter = new Decrypter();
  const own: string[] = [];
  const isOne = key.identities.every(({ line }) => line === key.identities[0]?.line);
  for (const { text: identity, line } of key.identities) {
    try {
      decrypter.addIdentity(identity);
      own.push(recipientId(await identityToRecipient(identity)));
    } catch {
      // The library's message quotes the identity itself: it must not get out.
      throw new McprtError('key-invalid', {
        what: `the identity in ${isOne ? 'the restore key' : `line ${line} of \`restore-key\``} cannot be read`,
        why: 'it is not an age identity: a letter is wrong or missing',
        next: 'give the restore key again, exactly as the file has it that the key command wrote: docs/keys.md',
      });
    }
  }
  let plain: Uint8Array;
  try {
    plain = await decrypter.decrypt(backup.archive.payload);
  } catch {
    const meant = backup.context.recipients.some((recipient) => own.includes(recipient));
    throw meant
      ? new McprtError('backup-undecryptable', {
          what: 'the backup cannot be decrypted although it was made for this key',
          why: 'the age file inside is damaged in spite of a valid signature',
          next: 'use another generation, and report this: it should not be possible',
        })
      : new McprtError('key-mismatch', {
          what: 'the backup was made for another restore key',
          why: `it was encrypted for ${backup.context.recipients.join(', ')}; this key is ${own.join(', ')}`,
          next: 'give the restore key of the set that made it too, one key a line in `restore-key`, or use the offline key as docs/break-glass.md shows',
        });
  }
  const { snapshot, context } = decodeSnapshot(Buffer.from(plain));
  if (!isDeepStrictEqual(context, backup.context)) {
    throw new McprtError('backup-inner', {
      what: 'the encrypted part does not belong to the signed statement around it',
      why: 'the context inside differs from the one outside: somebody signed the content of another backup again',
      next: 'do not use this backup, and change the signing key',
    });
  }
  return snapshot;
}

function padded(plain: Buffer): Buffer {
  // JSON may end in white space, so the padding needs no format of its own and kubectl reads it as it is.
  return Buffer.concat([plain, Buffer.alloc((blockBytes - (plain.length % blockBytes)) % blockBytes, ' ')]);
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
