import { createHash, type KeyObject } from 'node:crypto';
import { Encrypter } from 'age-encryption';
import { type Archive, packArchive } from '../../shared/backup/archive.js';
import {
  type BackupKey,
  type KeySet,
  type RestoreKey,
  readBackupKey,
  readRestoreKey,
} from '../../shared/backup/keys.js';
import { authenticate, openBackup } from '../../shared/backup/seal.js';
import { encodeSnapshot, type Snapshot } from '../../shared/backup/snapshot.js';
import { type BackupContext, signStatement } from '../../shared/backup/statement.js';
import type { ErrorCode } from '../../shared/errors.js';
import type { RunContext } from '../../shared/run-context.js';
import type { Random } from '../random.js';

/** One backup or key that a restore must refuse. */
export interface Case {
  /** All cases of a class are refused for the same reason. */
  class: string;
  name: string;
  code: ErrorCode;
  bytes: Buffer;
  /** Text of the input `restore-key`; the right one when left out. */
  restoreKey?: string;
  run?: Partial<RunContext>;
  /** What only this case holds and must not show. */
  secrets?: string[];
}

/** Cases of one class, each with its name, its code and its bytes. */
export function casesOf(
  kind: string,
  cases: readonly (readonly [name: string, code: ErrorCode, bytes: Buffer | Promise<Buffer>])[],
): Promise<Case[]> {
  return Promise.all(
    cases.map(async ([name, code, bytes]): Promise<Case> => ({ class: kind, name, code, bytes: await bytes })),
  );
}

/** What the cases are made of: two valid backups of one cluster, all keys, and what only their owner can do with them. */
export interface Material {
  keys: KeySet;
  /** A second set, that nothing here was made with. */
  foreign: KeySet;
  backupKey: BackupKey;
  restoreKey: RestoreKey;
  foreignSigner: KeyObject;
  older: Buffer;
  newest: Buffer;
  /** Members of the newest. */
  archive: Archive;
  olderArchive: Archive;
  context: BackupContext;
  snapshot: Snapshot;
  random: Random;
  /** How many cases a class with arbitrary many gets. */
  each: number;
}

const unmasked = (): void => undefined;

/** Opens two valid backups with their keys, older first. */
export async function materialOf(
  backups: { older: Buffer; newest: Buffer },
  sets: { keys: KeySet; foreign: KeySet },
  random: Random,
  each: number,
): Promise<Material> {
  const restoreKey = readRestoreKey(sets.keys.restore, unmasked);
  const opened = await authenticate(backups.newest, restoreKey.signers);
  const olderArchive = (await authenticate(backups.older, restoreKey.signers)).archive;
  return {
    ...sets,
    ...backups,
    backupKey: readBackupKey(sets.keys.backup, unmasked),
    restoreKey,
    foreignSigner: readBackupKey(sets.foreign.backup, unmasked).signer,
    archive: opened.archive,
    olderArchive,
    context: opened.context,
    snapshot: await openBackup(opened, restoreKey),
    random,
    each,
  };
}

/** A backup as the holder of the signing key could make it: any payload under any context. */
export function signedBackup(
  { backupKey }: Material,
  payload: Buffer,
  context: BackupContext,
  signer: KeyObject = backupKey.signer,
): Promise<Buffer> {
  const digest = createHash('sha256').update(payload).digest('hex');
  return packArchive({ statement: Buffer.from(signStatement(context, digest, signer)), payload });
}

/** Any plaintext, encrypted for the right recipients and signed. */
export async function sealedText({ backupKey }: Material, plain: Buffer): Promise<Buffer> {
  const encrypter = new Encrypter();
  for (const recipient of backupKey.recipients) encrypter.addRecipient(recipient);
  return Buffer.from(await encrypter.encrypt(plain));
}

/** The newest backup made anew with another context, inside and outside: only its owner can. */
export async function withContext(material: Material, change: Partial<BackupContext>): Promise<Buffer> {
  const context = { ...material.context, ...change };
  return signedBackup(material, await sealedText(material, encodeSnapshot(material.snapshot, context)), context);
}
