import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { messageOf } from '../../shared/errors.js';
import { actionlintIn, strictly, unshelled, zizmorIn } from '../support/linters.js';
import { chosenOf, type Proof, type ProofContext } from '../support/proof.js';
import { branches } from './branches.js';
import type { Call, Case, Homes } from './case.js';
import { files } from './files.js';
import { callsIn, faultOf, writeStubs } from './gh.js';
import { places } from './places.js';
import { cloneOfMcprt, gitEnv, spotAt } from './world.js';

const run = promisify(execFile);
const within = 120_000;
const nobody = 65_534;

/** In 37 odd repositories, a third of them in small. */
export const init: Proof = {
  name: 'init',
  claim:
    'init holds in repositories as people have them: monorepos, forks, enterprise servers, every form of remote, odd branches and names, what is there already; what it writes passes actionlint and zizmor, what it prints runs in bash with a gh that knows its own flags, and what it refuses has a way forward and leaves nothing behind',
  async run(context) {
    // One case runs as nobody, who must get there.
    await chmod(context.folder, 0o755);
    const folder = async (name: string) => spotAt(await openFolder(context, name));
    const [usual, fork, untagged] = await Promise.all([folder('usual'), folder('fork'), folder('untagged')]);
    const homes: Homes = {
      usual: await cloneOfMcprt(usual, 'https://github.com/acme/mcprt', ['v1', 'v1.2.3']),
      fork: await cloneOfMcprt(fork, 'git@github.com:me/our-mcprt.git', ['v1.2.3']),
      untagged: await cloneOfMcprt(untagged, 'https://github.com/acme/mcprt', []),
    };
    const stubs = await writeStubs(join(context.folder, 'stubs'));
    const chosen = chosenOf(context, [...places, ...branches, ...files]);
    let calls = 0;
    for (const [index, one] of chosen.entries()) {
      context.progress(`  ${one.name}`);
      calls += await play(context, one, { homes, stubs, lint: join(context.folder, 'lint', String(index)) }).catch(
        (error: unknown) => {
          context.fail(`${one.name}: ${messageOf(error)}`);
          return 0;
        },
      );
    }
    return { repositories: chosen.length, calls, ...(await linted(context)) };
  },
};

interface Stage {
  homes: Homes;
  stubs: string;
  /** Folder for the workflows that were written. */
  lint: string;
}

/** Makes a repository and runs init in it. @returns how many calls of gh it printed */
async function play(context: ProofContext, one: Case, { homes, stubs, lint }: Stage): Promise<number> {
  const spot = spotAt(await openFolder(context, 'spot'));
  const call = await one.make(spot, homes);
  const expect = (isRight: boolean, what: string): void => {
    context.expect(isRight, `${one.name}: ${what}`);
  };
  await writeFile(
    join(spot.folder, 'gh'),
    '#!/bin/sh\ncase "$*" in *default_branch*) echo "$DEFAULT_BRANCH";; *) exit 1;; esac\n',
    {
      mode: 0o755,
    },
  );
  if (call.before !== undefined) {
    await started(call, call.before.args, spot.folder, homes);
    await call.before.change();
  }
  const before = await workflowsIn(call.root);
  const { code, said } = await started(call, call.args ?? [], spot.folder, homes);
  for (const text of one.says ?? []) expect(said.includes(text), `does not say ${JSON.stringify(text)}:\n${said}`);
  for (const text of one.hides ?? []) expect(!said.includes(text), `says ${JSON.stringify(text)}`);
  const after = await workflowsIn(call.root);
  if (one.refuses !== undefined) {
    expect(code === 1 && said.startsWith(`${one.refuses}: `) && /^next: \S/m.test(said), `does not refuse:\n${said}`);
    expect(before.join() === after.join(), 'writes although it refuses');
    expect(
      !(await readdir(spot.folder)).some((name) => name.endsWith('-mcprt-keys')),
      'makes keys although it refuses',
    );
    return 0;
  }
  expect(code === 0, `fails:\n${said}`);
  expect(after.includes('mcprt-backup.yml'), 'wrote no workflow at the root of the repository');
  const wrong = (await one.check?.(call)) ?? '';
  expect(wrong === '', wrong);
  const written = [...said.matchAll(/^- \.github\/workflows\/(\S+): written$/gm)].map(([, name = '']) => name);
  await mkdir(join(lint, '.github', 'workflows'), { recursive: true });
  for (const name of written)
    await cp(join(call.root, '.github', 'workflows', name), join(lint, '.github', 'workflows', name));
  return shown(said, { call, stubs, calls: join(spot.folder, 'calls'), host: one.host ?? 'github.com', expect });
}

async function openFolder(context: ProofContext, name: string): Promise<string> {
  const folder = await mkdtemp(join(context.folder, `${name}-`));
  await chmod(folder, 0o755);
  return folder;
}

async function workflowsIn(root: string): Promise<string[]> {
  return (await readdir(join(root, '.github', 'workflows')).catch((): string[] => [])).sort();
}

async function started(call: Call, args: readonly string[], folder: string, homes: Homes) {
  const { AS_NOBODY, FIRST_PATH, ...env } = call.env ?? {};
  const isRoot = process.getuid?.() === 0;
  const who = AS_NOBODY !== undefined && isRoot ? { uid: nobody, gid: nobody } : {};
  const path = [...(FIRST_PATH === undefined ? [] : [FIRST_PATH]), folder, process.env.PATH].join(':');
  const safe = { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*' };
  return run(process.execPath, [join(call.home ?? homes.usual, 'dist', 'init.js'), ...args], {
    cwd: call.cwd ?? call.root,
    env: { ...gitEnv, ...safe, HOME: folder, ...env, PATH: path },
    timeout: within,
    ...who,
  }).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { code?: number; stdout?: string; stderr?: string }) => ({
      code: error.code ?? -1,
      said: `${error.stderr ?? messageOf(error)}${error.stdout ?? ''}`,
    }),
  );
}

interface Shown {
  call: Call;
  stubs: string;
  calls: string;
  host: string;
  expect(isRight: boolean, what: string): void;
}

/** Has bash run what was printed, and looks at each call of gh. @returns how many there were */
async function shown(said: string, { call, stubs, calls, host, expect }: Shown): Promise<number> {
  const blocks = [...said.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text);
  const inline = [...said.matchAll(/`((?:gh workflow|git -C) [^`]+)`/g)].map(([, text = '']) => `${text}\n`);
  const env = { ...gitEnv, PATH: `${stubs}:${process.env.PATH}`, CALLS: calls, HOME: stubs };
  const script = `exec < /dev/null\nset -euo pipefail\n${[...blocks, ...inline].join('')}`;
  const pasted = (): Promise<string> =>
    run('bash', ['-c', script], { cwd: call.root, env, timeout: within }).then(() => '', messageOf);
  const failed = await pasted();
  expect(failed === '', `bash fails at what is printed: ${failed}`);
  const made = await callsIn(calls);
  await writeFile(`${calls}-reviewed`, '');
  await pasted();
  const later = (await callsIn(calls)).slice(made.length);
  const bare = later.filter(
    ({ words, stdin }) =>
      words.includes('PUT') && !/"prevent_self_review":true,"reviewers":\[\{"type":"Team","id":7\}\]/.test(stdin),
  );
  expect(bare.length === 0, `pasted once more, the lines take rules of an environment away: ${bare[0]?.stdin}`);
  const moved = later.filter(
    ({ words }) => words[1] === 'set' && /^MCPRT_(?:OCI|S3)/.test(words[2] ?? '') && words[0] === 'variable',
  );
  expect(moved.length === 0, `pasted once more, the lines move where backups are kept: ${moved[0]?.words.join(' ')}`);
  const again = later.filter(({ words }) => words[2] === 'MCP_SMOKE_PASSWORD');
  expect(again.length === 0, 'pasted once more, the lines change a password that the platform cannot change');
  expect(made.length > 0, 'nothing that is printed calls gh');
  for (const one of made) {
    const fault = faultOf(one, host);
    expect(fault === '', `${fault} (gh ${one.words.join(' ')})`);
  }
  return made.length;
}

/** mcprt itself is taken by its tag, as its pages say; everything else by its commit. */
const policies = ['acme/mcprt/*', 'me/our-mcprt/*'].map((name) => `        ${name}: ref-pin\n`).join('');

async function linted(context: ProofContext) {
  const home = join(context.folder, 'lint');
  const folders = (await readdir(home)).map((name) => join(home, name));
  const listed = await Promise.all(
    folders.map(async (folder) =>
      (await workflowsIn(folder)).map((name) => join(folder, '.github', 'workflows', name)),
    ),
  );
  const config = join(context.folder, 'zizmor.yml');
  await writeFile(config, `rules:\n  unpinned-uses:\n    config:\n      policies:\n${policies}        '*': hash-pin\n`);
  const [actionlint, zizmor] = await Promise.all([actionlintIn(context), zizmorIn(context)]);
  const check = async (name: string, linter: typeof actionlint, args: string[]): Promise<string> => {
    if (typeof linter === 'string') return `not run: ${linter}`;
    const { isClean, said } = await linter.run(args);
    context.expect(isClean, `${name}: ${said.slice(-4000)}`);
    return isClean ? 'clean' : 'not clean';
  };
  if (typeof actionlint === 'string') context.fail(`actionlint cannot be had: ${actionlint}`);
  return {
    workflows: listed.flat().length,
    actionlint: await check('actionlint', actionlint, [...unshelled, ...listed.flat()]),
    zizmor: await check('zizmor', zizmor, [
      ...strictly(config),
      ...folders.filter((_, index) => listed[index]?.length !== 0),
    ]),
  };
}
