// Which lockfile the installed packages are of.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const stampOf = (root) => join(root, 'node_modules', '.mcprt-lock');
const hashOf = (root) =>
  createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');

/** Whether the packages of a checkout are those of its lockfile. */
export const isInstalled = (root) => existsSync(stampOf(root)) && readFileSync(stampOf(root), 'utf8') === hashOf(root);

/** Remembers that they are. */
export const markInstalled = (root) => writeFileSync(stampOf(root), hashOf(root));
