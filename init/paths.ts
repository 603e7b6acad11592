import { constants } from 'node:fs';
import { access, lstat, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { McprtError, messageOf } from '../shared/errors.js';

export async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/**
 * Refuses before anything is made where a folder could not be written into, or one of its new files not be made.
 *
 * @throws McprtError `init-write`
 */
export async function requireRoom(folder: string, newFiles: readonly string[]): Promise<void> {
  const nearest = await nearestOf(folder);
  if (!(await stat(nearest).then((found) => found.isDirectory()))) {
    throw cannotWrite(folder, `${nearest} is a file, and no folder`, 'move that file away');
  }
  await access(nearest, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    throw cannotWrite(folder, messageOf(cause), `make ${nearest} writable for yourself`);
  });
  for (const name of newFiles) {
    const path = join(folder, name);
    const isTaken = await lstat(path).then(
      () => true,
      () => false,
    );
    if (isTaken) throw cannotWrite(path, 'a folder, or a link that leads nowhere, has its name', 'move that away');
  }
}

async function nearestOf(path: string): Promise<string> {
  return (await isThere(path)) || dirname(path) === path ? path : nearestOf(dirname(path));
}

function cannotWrite(path: string, why: string, way: string): McprtError {
  return new McprtError('init-write', {
    what: `${path} cannot be written`,
    why,
    next: `${way}, and run this again: nothing has been made yet`,
  });
}
