import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { actionlintIn, type Linter, strictly, unshelled, zizmorIn } from './support/linters.js';
import type { Proof, ProofContext } from './support/proof.js';

export const workflowLint: Proof = {
  name: 'workflow-lint',
  claim:
    'the workflows and their examples are clean by actionlint and by zizmor in its strictest persona, which both find what is planted',
  async run(context) {
    const [actionlint, zizmor] = await Promise.all([actionlintIn(context), zizmorIn(context)]);
    const good = await workflowsIn(context, 'good', {});
    const planted = await workflowsIn(context, 'planted', { 'planted.yml': plantedWorkflow });
    const check = async (name: string, linter: Linter, args: (folder: string) => string[]): Promise<string> => {
      if (typeof linter === 'string') return `not run: ${linter}`;
      const [clean, found] = await Promise.all([linter.run(args(good)), linter.run(args(planted))]);
      context.expect(clean.isClean, `${name}:\n${clean.said.slice(-4000)}`);
      context.expect(!found.isClean, `${name} finds nothing in a workflow with mistakes`);
      return clean.isClean ? 'clean' : 'not clean';
    };
    const workflows = (await readdir(good)).filter((name) => name.endsWith('.yml'));
    const config = join(root, 'zizmor.yml');
    const figures = {
      workflows: workflows.length,
      actionlint: await check('actionlint', actionlint, (folder) => [
        ...unshelled,
        ...(folder === planted ? ['planted.yml'] : workflows).map((name) => join(folder, name)),
      ]),
      zizmor: await check('zizmor', zizmor, (folder) => [...strictly(config), dirname(folder)]),
    };
    if (typeof actionlint === 'string') context.fail(`actionlint cannot be had: ${actionlint}`);
    return figures;
  },
};

/** An unknown key, a permission too many, and a title that can write commands. */
const plantedWorkflow = [
  'name: planted',
  'on: pull_request_target',
  'permissions: write-all',
  'jobs:',
  '  one:',
  '    runs-on: ubuntu-latest',
  '    step: []',
  '    steps:',
  `      - run: echo "\${{ github.event.pull_request.title }}"`,
  '',
].join('\n');

/** The examples, our own workflows and local actions, as a repository has them. @returns the folder of the workflows */
async function workflowsIn(
  { folder }: ProofContext,
  name: string,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const workflows = join(folder, name, '.github', 'workflows');
  await mkdir(workflows, { recursive: true });
  for (const beside of ['actions', 'dependabot.yml']) {
    await cp(join(root, '.github', beside), join(folder, name, '.github', beside), { recursive: true });
  }
  for (const [from, prefix] of [
    [join(root, 'examples'), 'example-'],
    [join(root, '.github', 'workflows'), ''],
  ] as const) {
    const files = (await readdir(from)).filter((file) => file.endsWith('.yml'));
    await Promise.all(files.map((file) => cp(join(from, file), join(workflows, `${prefix}${file}`))));
  }
  await Promise.all(Object.entries(more).map(([file, text]) => writeFile(join(workflows, file), text)));
  return workflows;
}
