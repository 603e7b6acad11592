import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { McprtError, messageOf } from '../../errors.js';
import { isRecord } from '../../json.js';
import { limits } from '../limits.js';
import { malformed } from '../statement.js';
import { isWanted, type Store } from './store.js';

const suffix = '.mcprt';

/** Keeps backups as files: for self-hosted runners with a disk of their own, and for drills. */
export function directoryStore(given: string): Store {
  // Once, as the store is opened: whatever else happens in this process, the folder stays the same.
  const folder = resolve(given);
  const read = async (name: string): Promise<Buffer> => {
    try {
      const path = join(folder, `${name}${suffix}`);
      const found = await stat(path);
      // A pipe or a device can be read for ever, and nothing ends that.
      if (!found.isFile()) throw malformed('it is no file');
      const { size } = found;
      if (size > limits.archiveBytes) throw malformed(`it has ${size} bytes, more than any backup`);
      return await readFile(path);
    } catch (cause) {
      if (cause instanceof McprtError) throw cause;
      throw failed('store-miss', `there is no backup ${name} in ${folder}`, cause);
    }
  };
  /** Files of the folder; undefined where there is no such folder, as before the first backup. */
  const filesIn = (): Promise<string[] | undefined> =>
    readdir(folder).catch((cause: unknown) => {
      if (isMissing(cause)) return undefined;
      throw failed('store-read', `the directory ${folder} cannot be read`, cause);
    });
  return {
    name: 'directory',
    fate: `the folder ${folder}`,
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
        // Where the folder is none, or the disk is read-only, this fails too: the reason to tell is the first one.
        await rm(partial, { force: true }).catch(() => undefined);
        throw failed('store-write', `the backup cannot be written to ${folder}`, cause);
      }
      return { where: path, until: undefined, notes: [] };
    },
    read,
    async list(wanted) {
      const files = await filesIn();
      const names = (files ?? [])
        .filter((file) => file.endsWith(suffix))
        .map((file) => file.slice(0, -suffix.length))
        .filter((name) => isWanted(name, wanted));
      const entries = names.map((name) => ({
        name,
        // Who may write to the folder is nobody's business here.
        foreign: undefined,
        fetch: () => read(name),
        remove: async () => {
          try {
            await rm(join(folder, `${name}${suffix}`), { force: true });
          } catch (cause) {
            throw failed('store-prune', `an older backup cannot be deleted from ${folder}`, cause);
          }
        },
      }));
      return {
        entries,
        cut: undefined,
        where: `looked in ${folder}${files === undefined ? ', which is not there' : ''}`,
      };
    },
    async holds() {
      return { until: undefined, words: 'as long as the disk and whoever may write there leave it' };
    },
  };
}

const nexts = {
  'store-miss': 'check the input `directory` and the profile’s domain',
  'store-read': 'check that the input `directory` names a folder, and that you may read there',
  'store-prune': 'check that you may write there',
  'store-write': 'check that you may write there, and that the disk has room',
} as const;

function failed(code: keyof typeof nexts, what: string, cause: unknown): McprtError {
  return new McprtError(code, { what, why: messageOf(cause), next: nexts[code], cause });
}

function isMissing(cause: unknown): boolean {
  return isRecord(cause) && cause.code === 'ENOENT';
}
