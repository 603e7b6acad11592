import { readdir } from 'node:fs/promises';
import { chooseAmong } from '../../shared/backup/choose-backup.js';
import type { RestoreKey } from '../../shared/backup/keys.js';
import { type AuthenticBackup, openBackup } from '../../shared/backup/seal.js';
import type { Snapshot } from '../../shared/backup/snapshot.js';
import type { BackupContext } from '../../shared/backup/statement.js';
import { directoryStore } from '../../shared/backup/stores/directory-store.js';
import type { Named } from '../../shared/backup/walk.js';
import { McprtError, messageOf } from '../../shared/errors.js';

/** A backup that was authenticated and decrypted; its plaintext is nowhere but in this process's memory. */
export interface OpenedBackup {
  name: string;
  context: BackupContext;
  snapshot: Snapshot;
}

/** Which backup of a folder is drilled, where it is not the newest. */
export interface Choice extends Named {
  domain: string | undefined;
}

/**
 * Opens a backup of a folder, as a restore chooses it.
 *
 * @param choice the domain: undefined for the only one that the folder has backups of
 * @throws McprtError `drill-usage`; those of `chooseAmong` and `openBackup`
 */
export async function openChosen(
  directory: string,
  { domain, ...named }: Choice,
  key: RestoreKey,
  warn: (line: string) => void,
): Promise<OpenedBackup> {
  const wanted = domain ?? onlyDomain(await filesOf(directory), directory);
  const search = { domain: wanted, signers: key.signers, open: (one: AuthenticBackup) => openBackup(one, key) };
  const ports = { stores: [directoryStore(directory)], warn };
  const { name, backup, opened } = await chooseAmong(ports, search, { older: false, ...named }, undefined);
  return { name, context: backup.context, snapshot: opened };
}

/**
 * The domain that all backups of a folder are for, by their names.
 *
 * @throws McprtError `drill-usage` for none and for several
 */
export function onlyDomain(files: readonly string[], directory: string): string {
  const domains = new Set(files.flatMap((file) => /^mcprt-backup-(.+)-g\d{8,}-r[^-]*\.mcprt$/.exec(file)?.[1] ?? []));
  const [first] = domains;
  if (first === undefined || domains.size > 1) {
    throw new McprtError('drill-usage', {
      what: first === undefined ? `there is no backup in ${directory}` : 'the folder has backups of several domains',
      why: first === undefined ? 'no file there is named as `fetch` names them' : [...domains].sort().join(', '),
      next:
        first === undefined
          ? 'fetch one: `operation: fetch` of action-backup with this folder as `directory`'
          : 'name the one to drill with --domain',
    });
  }
  return first;
}

async function filesOf(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (cause) {
    throw new McprtError('drill-usage', {
      what: `the folder ${directory} cannot be read`,
      why: messageOf(cause),
      next: 'give the folder that `operation: fetch` of action-backup was given as `directory`',
      cause,
    });
  }
}
