import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, root } from '../lab/driver/folders.js';
import { messageOf } from '../shared/errors.js';
import type { Proof, ProofContext } from './support/proof.js';

const run = promisify(execFile);
const versions = { actionlint: '1.7.12', zizmor: '1.32.0' } as const;
const installWithin = 300_000;
const lintWithin = 120_000;

/** A linter that runs, or why there is none. */
type Linter = { run(args: string[]): Promise<Outcome> } | string;

interface Outcome {
  isClean: boolean;
  said: string;
}

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
        '-shellcheck=',
        '-pyflakes=',
        ...newerThanActionlint.flatMap((message) => ['-ignore', message]),
        ...(folder === planted ? ['planted.yml'] : workflows).map((name) => join(folder, name)),
      ]),
      zizmor: await check('zizmor', zizmor, (folder) => [
        '--offline',
        '--persona',
        'pedantic',
        '--config',
        config,
        dirname(folder),
      ]),
    };
    if (typeof actionlint === 'string') context.fail(`actionlint cannot be had: ${actionlint}`);
    return figures;
  },
};

/** What GitHub has had since summer 2026, and this actionlint does not know yet. */
const newerThanActionlint = [
  'unexpected key "cache-mode" for "job" section',
  'unexpected key "queue" for "concurrency" section',
  'specifying action "\\$/',
];

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

async function actionlintIn({ env, progress }: ProofContext): Promise<Linter> {
  const folder = join(cacheFolder(env), 'tools', `actionlint-${versions.actionlint}`);
  const program = join(folder, 'actionlint');
  if (!(await isThere(program))) {
    progress('  building actionlint');
    const module = `github.com/rhysd/actionlint/cmd/actionlint@v${versions.actionlint}`;
    const options = { env: { ...env, GOBIN: folder, GOFLAGS: '-mod=mod' }, cwd: '/', timeout: installWithin };
    const failed = await run('go', ['install', module], options).then(() => '', messageOf);
    if (failed !== '') return failed;
  }
  return { run: (args) => outcome(program, args, env) };
}

async function zizmorIn({ env, progress }: ProofContext): Promise<Linter> {
  const folder = join(cacheFolder(env), 'tools', `zizmor-${versions.zizmor}`);
  const program = join(folder, 'bin', 'zizmor');
  if (!(await isThere(program))) {
    progress('  installing zizmor');
    const args = ['-m', 'pip', 'install', '--quiet', '--target', folder, `zizmor==${versions.zizmor}`];
    const failed = await run('python3', args, { env, timeout: installWithin }).then(() => '', messageOf);
    if (failed !== '') return `pip cannot install it: ${failed.trim().split('\n').at(-1)}`;
  }
  return { run: (args) => outcome(program, args, { ...env, PYTHONPATH: folder }) };
}

async function outcome(program: string, args: string[], env: NodeJS.ProcessEnv): Promise<Outcome> {
  return run(program, args, { env, timeout: lintWithin }).then(
    ({ stdout, stderr }) => ({ isClean: true, said: stdout + stderr }),
    (error: unknown) => {
      const said = error as { stdout?: string; stderr?: string };
      return { isClean: false, said: `${said.stdout ?? ''}${said.stderr ?? ''}${messageOf(error)}` };
    },
  );
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
