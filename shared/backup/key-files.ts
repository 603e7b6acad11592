import { execFile } from 'node:child_process';
import { realpath, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import type { KeySet } from './keys.js';

const run = promisify(execFile);
const askWithin = 20_000;
/** What may be written into a folder of keys. */
const secretFiles = ['backup.key', 'restore.key', 'offline.txt', 'mcprt-backup.kubeconfig'];

/**
 * The checkout whose next `git add` would take keys along that are written into a folder; undefined where none would. The
 * folder need not exist. Where git cannot be asked, what is in a checkout counts as added.
 */
export async function checkoutThatAdds(folder: string): Promise<string | undefined> {
  const real = await realPath(resolve(folder));
  const checkout = await checkoutOf(real);
  if (checkout === undefined) return undefined;
  const files = secretFiles.map((name) => join(real, name));
  const ignored = await run('git', ['check-ignore', '--', ...files], { cwd: checkout, timeout: askWithin }).then(
    ({ stdout }) => stdout.trim().split('\n').length,
    () => 0,
  );
  return ignored === files.length ? undefined : checkout;
}

/** Without symbolic links, as far as it exists. */
async function realPath(path: string): Promise<string> {
  const found = await realpath(path).catch(() => undefined);
  if (found !== undefined || dirname(path) === path) return found ?? path;
  return join(await realPath(dirname(path)), basename(path));
}

async function checkoutOf(folder: string): Promise<string | undefined> {
  const isCheckout = await stat(join(folder, '.git')).then(
    () => true,
    () => false,
  );
  if (isCheckout) return folder;
  return dirname(folder) === folder ? undefined : checkoutOf(dirname(folder));
}

/** Writes a set of keys into a folder, readable by its owner alone. A file that is there already is an error: no key is ever overwritten. */
export async function writeKeyFiles(folder: string, { backup, restore, offline }: KeySet): Promise<void> {
  for (const [name, text] of Object.entries({ 'backup.key': backup, 'restore.key': restore, 'offline.txt': offline })) {
    await writeFile(join(folder, name), text, { mode: 0o600, flag: 'wx' });
  }
}
