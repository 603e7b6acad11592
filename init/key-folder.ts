import { appendFile, mkdir, readdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { writeKeyFiles } from '../shared/backup/key-files.js';
import { makeKeys } from '../shared/backup/keys.js';
import { isThere } from './paths.js';
import type { InitPlan } from './plan.js';

/** What becomes of the keys, and of those before them. */
export interface KeyState {
  /** `left` when they were made before, and are not here any more; `renewed` when a new set takes the place of such. */
  are: 'made' | 'there' | 'left' | 'renewed';
  /** Folder into which the old ones are moved; empty where none are moved. */
  movedTo: string;
  /** Restore keys of earlier sets that are here, which old backups are read with. */
  older: string[];
  /** Offline keys of earlier sets that are here. */
  offline: string[];
  /** File into which an old restore key that is not here is to be put; empty where none is awaited. */
  awaited: string;
}

const keyFiles = ['backup.key', 'restore.key', 'offline.txt'];
/** Empty until its owner has put the old restore key into it: that it is there says that one is awaited. */
const awaitedFile = 'old-restore.key';

/** Keys that are there stay, and so do those that were made before and put away, unless new ones are asked for: backups were made with them. */
export async function stateOfKeys(
  folder: string,
  { files }: Pick<InitPlan, 'files'>,
  isNew: boolean,
): Promise<KeyState> {
  const names = await readdir(folder).catch((): string[] => []);
  const isHere = names.some((name) => keyFiles.includes(name) || (name.endsWith('.key') && name !== awaitedFile));
  const wereMade = isHere || files.some(({ name, state }) => state !== 'new' && !/preview/.test(name));
  const numbers = names.map((name) => Number(/^old-(\d{1,6})$/.exec(name)?.[1] ?? 0));
  const movedTo = isNew && isHere ? join(folder, `old-${Math.max(0, ...numbers) + 1}`) : '';
  const are = isNew && wereMade ? 'renewed' : isHere ? 'there' : wereMade ? 'left' : 'made';
  const isAway = are === 'renewed' && !names.includes('restore.key');
  const [older, offline] = await Promise.all(
    ['restore.key', 'offline.txt'].map((file) => olderIn(folder, names, movedTo, file)),
  );
  const path = join(folder, awaitedFile);
  const given = names.includes(awaitedFile) ? await readFile(path, 'utf8') : undefined;
  // Of a new set the old key may be another one than that which was put there for the set before.
  if (given !== undefined && given.trim() !== '' && !isAway) {
    return { are, movedTo, older: [path, ...(older ?? [])], offline: offline ?? [], awaited: '' };
  }
  return {
    are,
    movedTo,
    older: older ?? [],
    offline: offline ?? [],
    awaited: isAway || given !== undefined ? path : '',
  };
}

/** The files of one name that earlier sets have, once the present one is moved. */
async function olderIn(folder: string, names: readonly string[], movedTo: string, file: string): Promise<string[]> {
  const kept = names.filter((name) => /^old-\d{1,6}$/.test(name)).map((name) => join(folder, name, file));
  const found = await Promise.all(kept.map(async (path) => ((await isThere(path)) ? [path] : [])));
  return [...(movedTo !== '' && names.includes(file) ? [join(movedTo, file)] : []), ...found.flat()];
}

/** Makes the keys that are to be made, after those before them were moved away. */
export async function writeKeys(folder: string, { are, movedTo, awaited }: KeyState): Promise<void> {
  if (are !== 'made' && are !== 'renewed') return;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if (movedTo !== '') {
    await mkdir(movedTo, { mode: 0o700 });
    const names = (await readdir(folder)).filter((name) => keyFiles.includes(name));
    for (const name of names) await rename(join(folder, name), join(movedTo, name));
  }
  // Appended to: what its owner has put there already stays.
  if (awaited !== '') await appendFile(awaited, '', { mode: 0o600 });
  await writeKeyFiles(folder, await makeKeys('hybrid'));
}
