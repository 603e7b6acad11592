import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises';
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
  await sweep(dirname(home));
  const workshop = await mkdtemp(join(dirname(home), 'building-'));
  try {
    const done = join(workshop, 'done');
    await make(workshop, done);
    await rename(done, home).catch((error: unknown) => {
      // Another process finished the same build first; its result is the same.
      if (!existsSync(home)) throw error;
    });
  } finally {
    // A compiler that was ended may still write.
    await rm(workshop, { recursive: true, force: true, maxRetries: 10 });
  }
}

/** Longer than any build, in ms. */
const tooOld = 3 * 3_600_000;

/** Takes away what killed builds have left. */
async function sweep(folder: string): Promise<void> {
  for (const name of (await readdir(folder)).filter((one) => one.startsWith('building-'))) {
    const path = join(folder, name);
    const made = await stat(path).catch(() => undefined);
    if (made !== undefined && Date.now() - made.mtimeMs > tooOld) await rm(path, { recursive: true, force: true });
  }
}
