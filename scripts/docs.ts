// Writes what is generated of the docs: the tables of each README from its action.yml, those of docs/workflows.md from the
// workflows, from the rules of each operation its RBAC manifest and the tables of docs/permissions.md, from what each operation tells
// the schema of its output `result`, from what the demo counted the README's picture, and the diagrams.
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { manifestText } from '../shared/permissions/manifest.js';
import { grants } from '../shared/permissions/operations.js';
import { withPermissionTables } from '../shared/permissions/tables.js';
import { actionTables, withTables } from './action-tables.js';
import { costTable, readSchedules } from './cost-table.js';
import { diagramsOf } from './diagrams/diagrams.js';
import { orderPictures, ordersPicture, readOrderFigures } from './orders-picture.js';
import { resultSchemaText } from './result-schema.js';
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

const folder = join(root, 'docs', 'rbac');
await mkdir(folder, { recursive: true });
for (const [name, operation] of grants) await writeFile(join(folder, `${name}.yaml`), manifestText(name, operation));
const page = join(root, 'docs', 'permissions.md');
await writeFile(page, withPermissionTables(await readFile(page, 'utf8')));

const pageOfCosts = join(root, 'docs', 'costs.md');
const costs = `<!-- costs -->\n${costTable(await readSchedules())}\n<!-- /costs -->`;
const costPage = await readFile(pageOfCosts, 'utf8');
await writeFile(pageOfCosts, costPage.replace(/<!-- costs -->[\s\S]*<!-- \/costs -->/, costs));

await writeFile(join(root, 'docs', 'result.schema.json'), resultSchemaText());

const figures = await readOrderFigures();
for (const [theme, file] of orderPictures) await writeFile(join(root, file), ordersPicture(figures, theme));

const deploy = await readFile(join(workflows, 'deploy.yml'), 'utf8');
for (const [name, draw] of diagramsOf(deploy)) {
  for (const theme of ['light', 'dark'] as const) {
    await writeFile(join(root, 'docs', 'pictures', `${name}-${theme}.svg`), draw(theme));
  }
}
