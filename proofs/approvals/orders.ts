import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { stringify } from 'yaml';
import { listenOnLoopback } from '../../lab/driver/loopback.js';
import { DEFAULT_PATH } from '../../shared/profile/profile.js';
import type { ProofContext } from '../support/proof.js';
import {
  makeRepository,
  makeTools,
  type PlayedWorkflow,
  type Repository,
  type RunOptions,
} from '../workflows/repository.js';

const execute = promisify(execFile);
const reviewed = ['mcprt-approval', 'mcprt-preview', 'mcprt-restore', 'mcprt-wipe'];
const others = ['mcprt-plan', 'mcprt-backup', 'production', 'mcprt-smoke', 'mcprt-drill', 'mcprt-preview-cleanup'];
const digest = 'ab'.repeat(32);
const domain = 'example.com';

/**
 * The shipped workflows, with stand-ins for the four actions that only write down that they ran: who waits for whom, who is
 * cancelled, and what runs when a reviewer says no or is missing.
 *
 * @returns what was seen, by scene
 */
export async function orders(context: ProofContext): Promise<Record<string, string>> {
  const tools = await makeTools(context);
  const diary = await openDiary();
  await standIn(tools.release);
  const folder = join(context.folder, 'approvals');
  await platformRepository(folder);
  const rules = Object.fromEntries([
    ...reviewed.map((name) => [name, { hasReviewers: true, branches: ['main'] }]),
    ...others.map((name) => [name, { branches: ['main'] }]),
  ]);
  const repository = await makeRepository(context, tools, {
    folder,
    variables: {},
    env: { MCPRT_DIARY: diary.url },
    environments: () => rules,
  });
  const seen: Record<string, string> = {};
  const story: Story = { context, repository, diary, seen };
  try {
    await withInstaller(folder);
    await nobodyWaits(story);
    await nothingApproved(story);
    await missingReviewers(story);
    await wipeAndInstall(story);
    await pushedOut(story, folder);
    return seen;
  } finally {
    await repository.close();
    await diary.close();
  }
}

interface Story {
  context: ProofContext;
  repository: Repository;
  diary: Diary;
  /** What came of each scene. */
  seen: Record<string, string>;
}

/** What the stand-ins of the actions have done, in their order. */
interface Diary {
  url: string;
  /** `run: job/action operation` */
  entries: string[];
  /** What a plan gives as its digest. */
  plan: string;
  close(): Promise<void>;
}

async function openDiary(): Promise<Diary> {
  const entries: string[] = [];
  const server = createServer((request, response) => {
    entries.push(decodeURIComponent((request.url ?? '').slice(1)));
    response.end(diary.plan);
  });
  const { port, close } = await listenOnLoopback(server);
  const diary: Diary = { url: `http://127.0.0.1:${port}`, entries, plan: digest, close };
  return diary;
}

/** Replaces the actions of a release by ones that write into the diary. */
async function standIn(release: string): Promise<void> {
  const outputs = ['plan', 'changes', 'case', 'mode', 'orders', 'backups', 'name', 'generation'];
  for (const action of ['action-backup', 'action-rollout', 'action-setup', 'action-smoke-test']) {
    const text = {
      name: `stand-in of ${action}`,
      description: 'Stand-in of a proof',
      inputs: { operation: { description: 'operation', default: 'default' } },
      outputs: Object.fromEntries(
        outputs.map((name) => [name, { description: name, value: `\${{ steps.told.outputs.${name} }}` }]),
      ),
      runs: {
        using: 'composite',
        steps: [
          {
            id: 'told',
            shell: 'bash',
            env: { WHAT: `\${{ github.run_id }}: \${{ github.job }}/${action} \${{ inputs.operation }}` },
            run: `node --input-type=module -e ${JSON.stringify(program)}`,
          },
        ],
      },
    };
    await writeFile(join(release, action, 'action.yml'), stringify(text));
  }
}

const program = [
  "import { appendFileSync } from 'node:fs';",
  'const answer = await fetch(process.env.MCPRT_DIARY + `/` + encodeURIComponent(process.env.WHAT));',
  'const outputs = { plan: await answer.text(), changes: 1, case: `rerun`, mode: `rerun`, orders: 0, name: `n` };',
  'const lines = Object.entries(outputs).map(([name, value]) => name + `=` + value + `\\n`);',
  'appendFileSync(process.env.GITHUB_OUTPUT, lines.join(``));',
]
  .join(' ')
  .replaceAll('`', "'");

/** A repository that has all that init writes a workflow for. */
async function platformRepository(folder: string): Promise<void> {
  const files = {
    'cmd/mcp-runtime/main.go': 'package main\n',
    'go.mod': 'module mcp-runtime\n\ngo 1.24\n',
    [DEFAULT_PATH]: `export MCP_PLATFORM_DOMAIN=${domain}\n`,
    '.mcp/servers.yaml': 'servers: []\n',
  };
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await execute('git', ['init', '--quiet', '--initial-branch=main'], { cwd: folder });
}

/** A deployment by the installer, beside the one by rollouts. */
async function withInstaller(folder: string): Promise<void> {
  const workflows = join(folder, '.github', 'workflows');
  const text = await readFile(join(workflows, 'mcprt-deploy.yml'), 'utf8');
  const restoreKey = `      MCPRT_RESTORE_KEY: \${{ secrets.MCPRT_RESTORE_KEY }}\n`;
  await writeFile(
    join(workflows, 'mcprt-install.yml'),
    text.replace(/^ {4}secrets:\n/m, (line) => `    with:\n      apply: setup\n${line}${restoreKey}`),
  );
}

const push = { event: 'push' };
const restore = { event: 'workflow_dispatch', payload: { inputs: { operation: 'restore' } } };
const reinstall = { event: 'workflow_dispatch', payload: { inputs: { domain } } };

/** Runs a workflow, and gives what the actions did in it. */
async function run({ repository, diary }: Story, workflow: string, options: RunOptions): Promise<Done> {
  const played = await repository.run(workflow, options);
  const own = `${played.runId}: `;
  const did = diary.entries.filter((entry) => entry.startsWith(own)).map((entry) => entry.slice(own.length));
  return { ...played, did: did.join(', ') };
}

/** A run of a workflow, with `job/action operation` of what the actions did in it. */
type Done = PlayedWorkflow & { did: string };

/** Notes what came of a scene, and what should have come. */
function expect({ seen, context }: Story, scene: string, is: string, wanted: string, log = ''): void {
  seen[scene] = is;
  context.progress(`  ${scene}: ${is}`);
  context.expect(is === wanted, `${scene}: ${is} instead of ${wanted}\n${log.slice(-3000)}`);
}

/** Notes what the actions did in a run, and how it ended. */
const expectDid = (story: Story, scene: string, { did, code, log }: Done, wanted: string): void =>
  expect(story, scene, `${did}: ${code}`, wanted, log);

const whole = [
  'plan/action-rollout plan',
  'backup/action-backup backup',
  'rollout/action-rollout default',
  'smoke-test/action-smoke-test default',
].join(', ');

/** One run waits for its reviewer; later ones come and go, and then it goes on. */
async function nobodyWaits(story: Story): Promise<void> {
  const gate = open();
  const first = run(story, 'deploy.yml', { ...push, review: () => gate.passed });
  await Promise.race([gate.reached, first]);
  const later = await Promise.all([1, 2, 3].map(() => run(story, 'deploy.yml', push)));
  for (const one of later) expect(story, 'a later run', one.did, whole, one.log);
  gate.pass(true);
  expectDid(story, 'the run that waited', await first, `${whole}: 0`);
  const restored = await run(story, 'restore.yml', restore);
  const steps = ['list', 'plan', 'restore'].map((one) => `${one}/action-backup ${one}`).join(', ');
  expectDid(story, 'a restore', restored, `${steps}: 0`);
}

/** What is no approval: a no, and a plan that has not arrived. */
async function nothingApproved(story: Story): Promise<void> {
  const planOnly = 'plan/action-rollout plan';
  const no = await run(story, 'deploy.yml', { ...push, review: async () => false });
  expectDid(story, 'a reviewer says no', no, `${planOnly}: 1`);
  story.diary.plan = '';
  const empty = await run(story, 'deploy.yml', push);
  const setup = await run(story, 'install.yml', push);
  story.diary.plan = digest;
  expectDid(story, 'an empty plan', empty, `${planOnly}: 1`);
  expectDid(story, 'an empty plan of a setup', setup, 'plan/action-setup default: 1');
  story.context.expect(/input `plan` is not/.test(empty.log), 'an empty plan: not told', empty);
  const head = { repo: { full_name: story.repository.github.env.GITHUB_REPOSITORY } };
  const dependabot = await run(story, 'deploy.yml', {
    event: 'pull_request',
    payload: { number: 5, pull_request: { number: 5, user: { login: 'dependabot[bot]' }, head } },
    as: { ref: 'refs/pull/5/merge', baseRef: 'main' },
  });
  const { jobs, code, log } = dependabot;
  expect(story, 'Dependabot’s pull request', `${jobs.length} jobs: ${code}`, '0 jobs: 0', log);
}

/** Every job of a reviewed environment stops where nobody reviews, before its action runs. */
async function missingReviewers(story: Story): Promise<void> {
  const { github } = story.repository;
  const preview = {
    event: 'workflow_run',
    payload: { workflow_run: { id: 1, conclusion: 'success', head_sha: github.run.sha } },
  };
  const cases: readonly [environment: string, workflow: string, options: RunOptions, did: string][] = [
    ['mcprt-approval', 'deploy.yml', push, 'plan/action-rollout plan'],
    ['mcprt-restore', 'install.yml', push, 'plan/action-setup default, backup/action-backup backup'],
    ['mcprt-wipe', 'reinstall.yml', reinstall, ''],
    // Before the wipe, although it is the installation that would stop.
    ['mcprt-restore', 'reinstall.yml', reinstall, ''],
    ['mcprt-restore', 'restore.yml', restore, 'list/action-backup list'],
    ['mcprt-preview', 'preview.yml', preview, ''],
  ];
  for (const [environment, workflow, options, did] of cases) {
    for (const rules of [{ hasReviewers: false }, { hasReviewers: true, reviewers: [] }]) {
      github.setEnvironment(environment, rules);
      const played = await run(story, workflow, options);
      const scene = `${workflow} where ${environment} has ${rules.hasReviewers ? 'an empty list of' : 'no'} reviewers`;
      expectDid(story, scene, played, `${did}: 1`);
      story.context.expect(/environment-unreviewed/.test(played.log), `${scene}: not told`);
      github.setEnvironment(environment, { hasReviewers: true });
    }
  }
}

/** While an installation waits for its reviewer after a wipe, others come: it is not cancelled, and follows. */
async function wipeAndInstall(story: Story): Promise<void> {
  const gate = open();
  const reinstalled = run(story, 'reinstall.yml', {
    ...reinstall,
    review: (environment) => (environment === 'mcprt-restore' ? gate.passed : Promise.resolve(true)),
  });
  await Promise.race([gate.reached, reinstalled]);
  const later = await Promise.all([
    ...[1, 2].map(() => run(story, 'deploy.yml', push)),
    ...[1, 2].map(() => run(story, 'reinstall.yml', { ...reinstall, review: async () => false })),
  ]);
  gate.pass(true);
  expectDid(
    story,
    `a wipe, and ${later.length} other runs before its install is approved`,
    await reinstalled,
    'wipe/action-backup wipe, install/action-setup default, install/action-smoke-test default: 0',
  );
}

/** The order is GitHub's: a job that waits for its reviewer has its group, and one behind it is pushed out by a third. */
async function pushedOut(story: Story, folder: string): Promise<void> {
  const job = {
    'runs-on': 'ubuntu-latest',
    environment: 'mcprt-wipe',
    concurrency: { group: 'production' },
    steps: [{ run: 'true' }],
  };
  const planted = { name: 'planted', on: { push: {} }, permissions: {}, jobs: { one: job } };
  await writeFile(join(folder, '.github', 'workflows', 'mcprt-planted.yml'), stringify(planted));
  const gate = open();
  const first = run(story, 'planted.yml', { ...push, review: () => gate.passed });
  await Promise.race([gate.reached, first]);
  const second = run(story, 'planted.yml', push);
  // Only one waits: whichever of the two comes later.
  const third = run(story, 'planted.yml', push);
  const out = await Promise.race([second, third]);
  gate.pass(true);
  const codes = (await Promise.all([first, second, third])).map(({ code }) => code).sort();
  expect(story, 'a job that waits for its reviewer with a group of others', codes.join(), '0,0,1', out.log);
  story.context.expect(/higher priority waiting request/.test(out.log), 'the engine cancels for another reason');
}

/** Something that a run waits at. */
interface WaitingPoint {
  /** When somebody is there. */
  reached: Promise<void>;
  /** Goes on when it is passed; who asks has reached it. */
  readonly passed: Promise<boolean>;
  pass(value: boolean): void;
}

function open(): WaitingPoint {
  const reached = Promise.withResolvers<void>();
  const passed = Promise.withResolvers<boolean>();
  return {
    reached: reached.promise,
    get passed() {
      reached.resolve();
      return passed.promise;
    },
    pass: passed.resolve,
  };
}
