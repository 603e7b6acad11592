import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/**
 * Has a folder or a file made, unless it is there. It is made beside its place and moved there when it is whole, so that a killed
 * build leaves nothing that looks finished.
 *
 * @param home where it belongs, below a folder for such builds; its name holds a hash of all that it is made from
 * @param make makes `done` below the folder that it is given, which is taken away afterwards
 */
export async function builtOnce(home: string, make: (workshop: string, done: string) => Promise<void>): Promise<void> {
  if (existsSync(home)) return;
  await mkdir(dirname(home), { recursive: true });
  const workshop = await mkdtemp(join(dirname(home), 'building-'));
  try {
    const done = join(workshop, 'done');
    await make(workshop, done);
    await rename(done, home).catch((error: unknown) => {
      // Another process finished the same build first; its result is the same.
      if (!existsSync(home)) throw error;
    });
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}
