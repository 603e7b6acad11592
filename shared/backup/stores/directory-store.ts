import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { McprtError, messageOf } from '../../errors.js';
import { generationOf, type Store } from './store.js';

const suffix = '.mcprt';

/** Keeps backups as files: for self-hosted runners with a disk of their own, and for drills. */
export function directoryStore(folder: string): Store {
  const read = async (name: string): Promise<Buffer> => {
    try {
      return await readFile(join(folder, `${name}${suffix}`));
    } catch (cause) {
      throw failed('store-miss', `there is no backup ${name} in ${folder}`, cause);
    }
  };
  const names = async (prefix: string): Promise<string[]> => {
    const files = await readdir(folder).catch((cause: unknown) => {
      throw failed('store-miss', `the directory ${folder} cannot be read`, cause);
    });
    return files
      .filter((file) => file.startsWith(prefix) && file.endsWith(suffix))
      .map((file) => file.slice(0, -suffix.length));
  };
  return {
    name: 'directory',
    async save(name, bytes) {
      const path = join(folder, `${name}${suffix}`);
      const partial = join(folder, `.${name}.${randomBytes(4).toString('hex')}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const file = await open(partial, 'wx', 0o600);
        try {
          await file.writeFile(bytes);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(partial, path);
      } catch (cause) {
        await rm(partial, { force: true });
        throw failed('store-write', `the backup cannot be written to ${folder}`, cause);
      }
      return { where: path, until: undefined, notes: [] };
    },
    async newest(prefix) {
      const [name] = (await names(prefix)).sort((a, b) => generationOf(b) - generationOf(a) || b.localeCompare(a));
      if (name === undefined) {
        throw failed('store-miss', `no file in ${folder} starts with ${prefix}`, undefined);
      }
      return { name, fetch: () => read(name) };
    },
    read,
    async list(prefix) {
      return (await names(prefix)).map((name) => ({
        name,
        fetch: () => read(name),
        remove: async () => {
          try {
            await rm(join(folder, `${name}${suffix}`), { force: true });
          } catch (cause) {
            throw failed('store-prune', `an older backup cannot be deleted from ${folder}`, cause);
          }
        },
      }));
    },
  };
}

function failed(code: 'store-miss' | 'store-prune' | 'store-write', what: string, cause: unknown): McprtError {
  return new McprtError(code, {
    what,
    why: cause === undefined ? 'no backup of this domain was kept there' : messageOf(cause),
    next:
      code === 'store-miss'
        ? 'check the input `directory` and the profile’s domain'
        : 'check that the runner’s user may write there, and that the disk has room',
    cause,
  });
}
