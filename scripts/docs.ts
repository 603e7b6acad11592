// Writes the input and output tables of each action's README from its action.yml.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { actionTables, withTables } from './action-tables.js';

for (const action of ['action-backup', 'action-setup', 'action-rollout', 'action-smoke-test']) {
  const readme = join(root, action, 'README.md');
  const tables = actionTables(await readFile(join(root, action, 'action.yml'), 'utf8'));
  await writeFile(readme, withTables(await readFile(readme, 'utf8'), tables));
}
