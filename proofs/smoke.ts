import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'junit2json';
import type { ActionRun } from '../lab/driver/action.js';
import { type DockerEngine, startDocker } from '../lab/driver/docker.js';
import { rbacVariable } from '../lab/driver/lab.js';
import type { Layout } from '../lab/platform/names.js';
import { at, recordsAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { filesBelow, leakSearch, withoutMasks } from './leaks.js';
import type { Proof, ProofContext } from './proof.js';
import { makeSmokeWorld, type SmokeWorld, userPassword } from './smoke/world.js';

/** What one run of action-smoke-test came to. */
interface Scene {
  layout: Layout;
  scene: string;
  passed: number;
  seconds: number;
}

/** A tool that asks for more trust than the least. */
const trusted = { 'call-tool': 'upper', 'call-arguments': '{"text":"mcprt"}', 'call-expects': 'MCPRT' };
const suites = 'health, tenant, multitenancy';

export const smoke: Proof = {
  name: 'smoke',
  claim:
    'action-smoke-test in both layouts: every suite passes over TLS with certificates issued in the lab, two runs at once do not meet, everything is removed, and the JUnit report is one',
  async run(context) {
    const problems: string[] = [];
    const scenes: Scene[] = [];
    const engine = await startDocker({
      folder: join(context.folder, 'docker'),
      env: context.env,
      progress: context.progress,
    });
    let searched = 0;
    try {
      for (const layout of ['split', 'mono'] as const) {
        // Tokens that end within a run: a test that takes longer than the platform's quarter of an hour is one.
        const world = await makeSmokeWorld(context, layout, layout === 'mono' ? { settings: { tokenSeconds: 4 } } : {});
        try {
          await scenesOf(context, world, engine, { scenes, problems });
          searched += await searchLeaks(context, world, problems);
        } finally {
          await world.close();
        }
      }
    } finally {
      if (typeof engine !== 'string') await engine.stop();
    }
    return {
      ok: problems.length === 0,
      figures: {
        docker: typeof engine === 'string' ? `none: ${engine}` : 'an image was built',
        filesSearchedForSecrets: searched,
        scenes,
      },
      problems,
    };
  },
};

interface Book {
  scenes: Scene[];
  problems: string[];
}

async function scenesOf(
  context: ProofContext,
  world: SmokeWorld,
  engine: DockerEngine | string,
  book: Book,
): Promise<void> {
  const play = (scene: string, inputs: Record<string, string>, env: Record<string, string> = {}): Promise<ActionRun> =>
    played(context, world, book, scene, world.test(inputs, env));
  const { kubeconfig } = world;
  await play('all suites, first time', { suite: suites, kubeconfig, ...trusted });
  // Where credentials are given by namespace, those of the teams come with the second run.
  await requireNothingLeft(world, book, 'all suites', { withSecrets: context.env[rbacVariable] === undefined });
  // What follows is the same in both layouts: CI sees it in one of them.
  if (context.small && world.layout === 'mono') return;
  // Everything is there now: teams and users are found, and nothing is made twice.
  const two = [1, 2].map((id) =>
    played(
      context,
      world,
      book,
      `two at the same time, ${id}`,
      world.test({ suite: suites }, { GITHUB_RUN_ID: String(100 + id) }),
    ),
  );
  const pair = Promise.all(two);
  await pair;
  await requireNothingLeft(world, book, 'two at the same time');
  for (const { log } of await pair) {
    if (!/kubectl delete secret -n mcp-team-mcprt-smoke-acme smoke-\S+-analytics-creds/.test(log)) {
      book.problems.push(`${world.layout}: without a kubeconfig it is not told that Secrets stay`);
    }
  }
  const swept = await world.test({ operation: 'cleanup', 'older-than': '0s', kubeconfig });
  if (swept.code !== 0 || Number(swept.outputs.removed) < 6) {
    book.problems.push(
      `${world.layout}: cleanup of Secrets removed ${swept.outputs.removed}\n${withoutMasks(swept.log)}`,
    );
  }
  await requireNothingLeft(world, book, 'cleanup of Secrets', { withSecrets: true });
  const own = { suite: 'tenant, multitenancy', kubeconfig, 'admin-key': '' };
  await play('by the admin’s key that the cluster has', own);
  await requireNothingLeft(world, book, 'a run with kubeconfig', { withSecrets: true });
  const admin = { 'admin-key': '', 'admin-email': world.admin.email, 'admin-password': world.admin.password };
  const kept = await play('kept, by an admin who logs in', { suite: 'multitenancy', keep: 'true', ...admin });
  await play('skip-setup', {
    suite: 'multitenancy',
    'skip-setup': 'true',
    'run-id': kept.outputs['run-id'] ?? '',
    keep: 'true',
  });
  const cleaned = await world.test({ operation: 'cleanup', 'older-than': '0s' });
  if (cleaned.code !== 0 || Number(cleaned.outputs.removed) < 5) {
    book.problems.push(`${world.layout}: cleanup removed ${cleaned.outputs.removed}\n${withoutMasks(cleaned.log)}`);
  }
  await requireNothingLeft(world, book, 'cleanup');
  if (typeof engine !== 'string') {
    const docker = { DOCKER_HOST: engine.host, DOCKER_CONFIG: join(context.folder, 'docker-config') };
    const call = { 'call-tool': 'add', 'call-arguments': '{"a":7,"b":9}', 'call-expects': '16' };
    await play('an image that Docker builds', { suite: 'tenant', 'image-archive': '', ...call }, docker);
  }
  await cancelled(context, world, book);
}

async function played(
  { progress }: ProofContext,
  world: SmokeWorld,
  { scenes, problems }: Book,
  scene: string,
  running: Promise<ActionRun>,
): Promise<ActionRun> {
  const run = await running;
  const passed = Number(run.outputs.passed);
  scenes.push({ layout: world.layout, scene, passed, seconds: Math.round(run.seconds * 10) / 10 });
  progress(
    `  ${world.layout}: ${scene}: ${passed} passed, ${run.outputs.failed} failed in ${run.seconds.toFixed(1)} s`,
  );
  if (run.code !== 0 || run.outputs.failed !== '0' || passed === 0) {
    problems.push(`${world.layout}: ${scene}: exit code ${run.code}\n${withoutMasks(run.log).slice(-6000)}`);
  }
  await requireJunit(run).catch((error: unknown) =>
    problems.push(`${world.layout}: ${scene}: JUnit: ${String(error)}`),
  );
  return run;
}

/** The report as a well-known parser reads it has each check of the output `result`, and says the same of it. */
async function requireJunit(run: ActionRun): Promise<void> {
  const report: unknown = await parse(await readFile(run.outputs.junit ?? '', 'utf8'));
  const cases = recordsAt(report, 'testsuite').flatMap((suite) => recordsAt(suite, 'testcase'));
  const checks = recordsAt(JSON.parse(run.outputs.result ?? '{}'), 'checks');
  const told = cases.map(
    (one) =>
      `${String(one.classname)} ${String(one.name)} ${one.failure ? 'failed' : one.skipped ? 'skipped' : 'passed'}`,
  );
  const wanted = checks.map((one) => `mcprt.${String(one.suite)} ${String(one.name)} ${String(one.status)}`);
  if (told.sort().join('\n') !== wanted.sort().join('\n'))
    throw new Error(`${told.length} cases, ${wanted.length} checks`);
  if (Number(at(report, 'tests')) !== checks.length) throw new Error(`tests ${String(at(report, 'tests'))}`);
}

/** Nothing of the tests' is left in the cluster but the teams, and, without a kubeconfig, what only the cluster can remove. */
async function requireNothingLeft(
  { cluster, layout }: SmokeWorld,
  { problems }: Book,
  after: string,
  { withSecrets = false } = {},
): Promise<void> {
  const lists = await Promise.all(
    [kinds.mcpServer, kinds.mcpAccessGrant, kinds.mcpAgentSession, ...(withSecrets ? [kinds.secret] : [])].map((kind) =>
      cluster.list(kind),
    ),
  );
  const left = lists
    .flatMap(({ items }) => items)
    .filter(({ kind, metadata }) => kind !== 'Secret' || metadata.name.endsWith('-analytics-creds'))
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
  if (left.length > 0) problems.push(`${layout}: ${after}: left: ${left.join(', ')}`);
}

/** A job that is cancelled while its server comes up: what it made is removed by its post step. */
async function cancelled(context: ProofContext, world: SmokeWorld, book: Book): Promise<void> {
  const slow = await world.archive({ 'ready-after': '20000' });
  let stopped = Promise.resolve();
  const run = await world.test({ suite: 'tenant', 'image-archive': slow }, {}, (pid) => {
    stopped = untilDeployed(world).then(() => void process.kill(pid, 'SIGINT'));
  });
  await stopped;
  const made = run.state.made ?? '';
  const post = await world.post({}, made);
  context.progress(`  ${world.layout}: cancelled: ${made} were made, post step ${post.code}`);
  if (run.code !== 1 || run.error !== 'job-cancelled' || !made.includes('server') || post.code !== 0) {
    book.problems.push(
      `${world.layout}: cancelled: ${run.code} ${run.error}, post ${post.code}\n${withoutMasks(run.log + post.log).slice(-3000)}`,
    );
  }
  await requireNothingLeft(world, book, 'cancelled');
}

async function untilDeployed({ cluster }: SmokeWorld): Promise<void> {
  for (;;) {
    const { items } = await cluster.list(kinds.mcpServer);
    if (items.some(({ metadata }) => metadata.deletionTimestamp === undefined)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function searchLeaks({ folder }: ProofContext, world: SmokeWorld, problems: string[]): Promise<number> {
  const search = leakSearch([
    { name: 'admin key', value: world.adminKey },
    { name: 'admin password', value: world.admin.password },
    { name: 'user password', value: userPassword },
  ]);
  const files = (await filesBelow(folder)).filter(({ path }) => /\/run-[0-9a-f]{8}\//.test(path));
  problems.push(...files.flatMap(({ path, text }) => search.in(text).map((name) => `${path} holds ${name}`)));
  return files.length;
}
