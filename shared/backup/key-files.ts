import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeySet } from './keys.js';

/** Writes a set of keys into a folder, readable by its owner alone. A file that is there already is an error: no key is ever overwritten. */
export async function writeKeyFiles(folder: string, { backup, restore, offline }: KeySet): Promise<void> {
  for (const [name, text] of Object.entries({ 'backup.key': backup, 'restore.key': restore, 'offline.txt': offline })) {
    await writeFile(join(folder, name), text, { mode: 0o600, flag: 'wx' });
  }
}
