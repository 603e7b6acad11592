// Whether the installed packages are the locked ones, however they came there: by this repository's commands, or by `npm ci`.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (file) => {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch {
    return undefined;
  }
};

/** Packages that this machine needs none of are left out by npm; all others are asked for. */
const ofThisMachine = ({ optional, os, cpu, libc }) =>
  !optional ||
  (os !== undefined && cpu !== undefined && libc === undefined && has(os, process.platform) && has(cpu, process.arch));

const has = (list, word) => [list].flat().includes(word);

/**
 * npm writes what it has installed beside it, as the last thing that an installation does: one that was interrupted has
 * no such file. Each of its packages must be the locked one, by version and digest, and be there.
 */
export const isInstalled = (root) => {
  const locked = read(join(root, 'package-lock.json'));
  const installed = read(join(root, 'node_modules', '.package-lock.json'));
  if (locked === undefined || installed === undefined) return false;
  const present = Object.entries(installed).filter(([, { ideallyInert }]) => !ideallyInert);
  const names = new Set(present.map(([name]) => name));
  return (
    present.every(
      ([name, { version, integrity }]) =>
        locked[name]?.version === version &&
        locked[name].integrity === integrity &&
        existsSync(join(root, name, 'package.json')),
    ) && Object.entries(locked).every(([name, entry]) => name === '' || names.has(name) || !ofThisMachine(entry))
  );
};
