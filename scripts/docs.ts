// Writes the input and output tables of each action's README from its action.yml.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { actionTables, withTables } from './action-tables.js';
import { withWorkflowTables } from './workflow-tables.js';

for (const action of ['action-backup', 'action-setup', 'action-rollout', 'action-smoke-test']) {
  const readme = join(root, action, 'README.md');
  const tables = actionTables(await readFile(join(root, action, 'action.yml'), 'utf8'));
  await writeFile(readme, withTables(await readFile(readme, 'utf8'), tables));
}

const workflows = join(root, '.github', 'workflows');
const texts = (await readdir(workflows)).map(async (name): Promise<[string, string]> => {
  return [name, await readFile(join(workflows, name), 'utf8')];
});
const pageOfWorkflows = join(root, 'docs', 'workflows.md');
const filled = withWorkflowTables(await readFile(pageOfWorkflows, 'utf8'), new Map(await Promise.all(texts)));
await writeFile(pageOfWorkflows, filled);
