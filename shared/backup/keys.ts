import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import * as z from 'zod';
import { McprtError } from '../errors.js';

/** What a job that backs up holds: it can sign and encrypt, and cannot read any backup. */
export interface BackupKey {
  signer: KeyObject;
  recipients: string[];
}

/** What a job that restores holds: it can read backups and knows whose signature to trust. Of several sets, all together. */
export interface RestoreKey {
  identities: { text: string; line: number }[];
  signers: KeyObject[];
}

/** One set of keys, as text to be stored: see docs/keys.md. */
export interface KeySet {
  backup: string;
  restore: string;
  /** An age identity file with the signer's public key in its comments: for a safe, not for a computer. */
  offline: string;
}

/** What errors call the two secrets. */
const [ofBackup, ofRestore] = ['the input `backup-key`', 'the input `restore-key`'] as const;
const ofEither = 'both inputs, `backup-key` and `restore-key`,';
const backupPrefix = 'mcprt-backup-key-1.';
const restorePrefix = 'mcprt-restore-key-1.';
const backupShape = z.strictObject({ signer: z.string(), recipients: z.array(z.string()).min(1) });
const restoreShape = z.strictObject({ identities: z.array(z.string()).min(1), signers: z.array(z.string()).min(1) });

/**
 * Makes new keys: an Ed25519 signer, one age identity for restores in CI and one to keep offline.
 *
 * @param kind `hybrid` is safe against quantum computers and needs age 1.3 for a restore by hand; `classic` is X25519
 */
export async function makeKeys(kind: 'hybrid' | 'classic'): Promise<KeySet> {
  const { generateHybridIdentity, generateX25519Identity, identityToRecipient } = await import('./age.js');
  const make = kind === 'hybrid' ? generateHybridIdentity : generateX25519Identity;
  const [online, offline] = await Promise.all([make(), make()]);
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const recipients = await Promise.all([online, offline].map((identity) => identityToRecipient(identity)));
  const publicPem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  const publicText = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
  const signer = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
  return {
    backup: pack(backupPrefix, { signer, recipients }),
    restore: pack(restorePrefix, { identities: [online], signers: [publicText] }),
    offline: [
      '# mcprt: offline key. Decrypts every backup made with its set. Keep it on paper or in a safe.',
      '# The signer’s public key, to check a backup before it is opened:',
      ...publicPem
        .trimEnd()
        .split('\n')
        .map((line) => `# ${line}`),
      offline,
      '',
    ].join('\n'),
  };
}

/**
 * Reads the secret of a job that backs up.
 *
 * @param mask called with every secret leaf before anything else happens
 * @throws McprtError `key-missing`, `key-wrong-kind`, `key-invalid`, `key-mixed`
 */
export function readBackupKey(text: string, mask: (secret: string) => void): BackupKey {
  for (const line of text.split('\n')) mask(line.trim());
  refuseOfflineKey(text, ofBackup);
  const { signer, recipients } = unpack(text, ofBackup, backupPrefix, backupShape, mask);
  mask(signer);
  if (new Set(recipients.map(isHybrid)).size > 1) {
    throw new McprtError('key-mixed', {
      what: 'the backup key mixes post-quantum and classic recipients',
      why: 'a backup is only as safe as its weakest recipient, so the post-quantum protection would be lost without a word',
      next: 'make one new set of keys: docs/keys.md',
    });
  }
  return {
    signer: readKey(ofBackup, () =>
      createPrivateKey({ key: Buffer.from(signer, 'base64'), format: 'der', type: 'pkcs8' }),
    ),
    recipients,
  };
}

/** After a change of keys the old one is given too, as long as backups of it are kept: nobody has so many. */
const mostKeys = 16;

/**
 * Reads the secret of a job that restores: one key, or several, one a line.
 *
 * @param mask called with every secret leaf before anything else happens
 * @throws McprtError `key-missing`, `key-wrong-kind`, `key-invalid`
 */
export function readRestoreKey(text: string, mask: (secret: string) => void): RestoreKey {
  const lines = text.split('\n').map((own, at) => ({ own: own.trim(), line: at + 1 }));
  const given = lines.filter(({ own }) => own !== '');
  for (const { own } of given) mask(own);
  refuseOfflineKey(text, ofRestore);
  if (given.length > mostKeys) {
    throw invalid(ofRestore, `it has ${given.length} lines, and at most ${mostKeys} keys are read`);
  }
  const [only] = given;
  if (only === undefined || given.length === 1) return restoreKeyIn(text, only?.line ?? 1, ofRestore, mask);
  const keys = given.map(({ own, line }) => restoreKeyIn(own, line, `line ${line} of ${ofRestore}`, mask));
  return { identities: keys.flatMap(({ identities }) => identities), signers: keys.flatMap(({ signers }) => signers) };
}

function restoreKeyIn(text: string, line: number, subject: string, mask: (secret: string) => void): RestoreKey {
  const { identities, signers } = unpack(text, subject, restorePrefix, restoreShape, mask);
  for (const identity of identities) {
    mask(identity);
  }
  const keys = signers.map((signer) =>
    readKey(subject, () => createPublicKey({ key: Buffer.from(signer, 'base64'), format: 'der', type: 'spki' })),
  );
  return { identities: identities.map((identity) => ({ text: identity.trim(), line })), signers: keys };
}

/** The name of a signer's key: the first half of the SHA-256 of its public key, in hex. */
export function keyId(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 32);
}

/** The name of a recipient, short enough to be listed in a statement. */
export function recipientId(recipient: string): string {
  return createHash('sha256').update(recipient).digest('hex').slice(0, 16);
}

function isHybrid(recipient: string): boolean {
  return recipient.startsWith('age1pq1');
}

function pack(prefix: string, content: object): string {
  return prefix + Buffer.from(JSON.stringify(content)).toString('base64url');
}

function unpack<T>(
  text: string,
  subject: string,
  prefix: string,
  shape: z.ZodType<T>,
  mask: (secret: string) => void,
): T {
  const trimmed = text.trim();
  if (trimmed === '') {
    throw keyMissing(subject, 'is');
  }
  mask(trimmed);
  const other = prefix === backupPrefix ? restorePrefix : backupPrefix;
  if (trimmed.startsWith(other)) {
    throw new McprtError('key-wrong-kind', {
      what: `${subject} holds the other key of the set`,
      why: `it starts with ${other}, and this needs ${prefix}`,
      next: 'a backup takes the backup key, and a restore takes the restore key',
    });
  }
  try {
    if (!trimmed.startsWith(prefix)) throw new Error('prefix');
    return shape.parse(JSON.parse(Buffer.from(trimmed.slice(prefix.length), 'base64url').toString('utf8')));
  } catch {
    const joined = trimmed.split(prefix).length - 1;
    // The parser's own message may quote the key: it is dropped on purpose.
    throw invalid(
      subject,
      joined > 1
        ? `${joined} keys are on one line of it; each belongs on a line of its own`
        : `it is not one line that starts with ${prefix}, or was cut when it was copied`,
    );
  }
}

/** @param subject what is empty: a key, or several of which one would do */
function keyMissing(subject: string, verb: 'is' | 'are'): McprtError {
  return new McprtError('key-missing', {
    what: `${subject} ${verb} empty`,
    why: 'no key was given; in a job the secret does not exist, or the job does not name the environment that has it',
    next: 'give it from the set of keys that these backups have; it is made once, as docs/keys.md shows',
  });
}

/**
 * Where either key tells whose signatures are trusted.
 *
 * @throws McprtError `key-missing`
 */
export function requireEitherKey(backupKey: string, restoreKey: string): void {
  if (backupKey.trim() === '' && restoreKey.trim() === '') throw keyMissing(ofEither, 'are');
}

function readKey(subject: string, read: () => KeyObject): KeyObject {
  let key: KeyObject | undefined;
  try {
    key = read();
  } catch {
    // OpenSSL's message says nothing that helps, and may hold bytes of the key
  }
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw invalid(subject, 'the signer in it is no Ed25519 key');
  }
  return key;
}

/** An age identity, classic or post-quantum: of the keys only the offline one is written so. It is the wrong file, and not a damaged one. */
function refuseOfflineKey(text: string, subject: string): void {
  const at = text.split('\n').findIndex((line) => line.trim().startsWith('AGE-SECRET-KEY-'));
  if (at === -1) return;
  throw new McprtError('key-invalid', {
    what: `line ${at + 1} of ${subject} is an offline key`,
    why: 'it reads backups by hand, with age, and nothing else takes it',
    next: 'give `restore.key` or `backup.key` of the same set; where only the offline key is left: docs/break-glass.md',
  });
}

function invalid(subject: string, why: string): McprtError {
  return new McprtError('key-invalid', {
    what: `${subject} is not a usable key`,
    why,
    next: 'give the key again, exactly as the file has it that the key command wrote: docs/keys.md',
  });
}
