import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'junit2json';
import type { ActionRun } from '../lab/driver/action.js';
import { rbacVariable } from '../lab/driver/lab.js';
import { until } from '../lab/driver/until.js';
import type { Layout } from '../lab/platform/names.js';
import { at, recordsAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { type Docker, withDocker } from './support/docker.js';
import { round1 } from './support/figures.js';
import { searchRuns } from './support/leaks.js';
import type { Proof, ProofContext } from './support/proof.js';
import { resultOf } from './support/runs.js';
import { type Inputs, userPassword } from './world/actions.js';
import { type PlatformInUse, platformInUse } from './world/parts.js';
import { inWorld, type World as WorldOf } from './world/world.js';

type World = WorldOf<PlatformInUse>;

/** What one run of action-smoke-test came to. */
interface Played {
  layout: Layout;
  scene: string;
  passed: number;
  seconds: number;
}

interface Story {
  context: ProofContext;
  world: World;
  scenes: Played[];
}

/** A tool that asks for more trust than the least. */
const trusted = { 'call-tool': 'upper', 'call-arguments': '{"text":"mcprt"}', 'call-expects': 'MCPRT' };
const suites = 'health, tenant, multitenancy';

export const smoke: Proof = {
  name: 'smoke',
  claim:
    'action-smoke-test in both layouts: every suite passes over TLS with certificates issued in the lab, two runs at once do not meet, everything is removed, and the JUnit report is one',
  run: (context) =>
    withDocker(context, async (engine, docker) => {
      const scenes: Played[] = [];
      let filesSearchedForSecrets = 0;
      for (const layout of ['split', 'mono'] as const) {
        // Tokens that end within a run: a test that takes longer than the platform's quarter of an hour is one.
        const options = { layout, folder: join(context.folder, layout), ...(layout === 'mono' && { tokenSeconds: 4 }) };
        filesSearchedForSecrets += await inWorld(
          context,
          platformInUse,
          (world) => everyScene({ context, world, scenes }, engine),
          options,
        );
      }
      return { docker, filesSearchedForSecrets, scenes };
    }),
};

/** Everything in one layout. @returns how many files were searched for secrets */
async function everyScene(story: Story, engine: Docker | undefined): Promise<number> {
  const { context, world } = story;
  const { kubeconfig, api } = world;
  const search = (): Promise<number> =>
    searchRuns(context, [
      { name: 'admin key', value: api.adminKey },
      { name: 'admin password', value: api.admin.password },
      { name: 'user password', value: userPassword },
    ]);
  await play(story, 'all suites, first time', { suite: suites, kubeconfig, ...trusted });
  // Where credentials are given by namespace, those of the teams come with the second run.
  await requireNothingLeft(story, 'all suites', { withSecrets: context.env[rbacVariable] === undefined });
  // What follows is the same in both layouts: CI sees it in one of them.
  if (context.small && world.layout === 'mono') return search();
  await twoAtOnce(story);
  const own = { suite: 'tenant, multitenancy', kubeconfig, 'admin-key': '' };
  await play(story, 'by the admin’s key that the cluster has', own);
  await requireNothingLeft(story, 'a run with kubeconfig', { withSecrets: true });
  const admin = { 'admin-key': '', 'admin-email': api.admin.email, 'admin-password': api.admin.password };
  const many = { suite: 'multitenancy', keep: 'true' };
  const kept = await play(story, 'kept, by an admin who logs in', { ...many, ...admin });
  await play(story, 'skip-setup', { ...many, 'skip-setup': 'true', 'run-id': kept.outputs['run-id'] ?? '' });
  await cleanUp(story, 'cleanup', 5);
  await requireNothingLeft(story, 'cleanup');
  if (engine !== undefined) {
    const call = { 'call-tool': 'add', 'call-arguments': '{"a":7,"b":9}', 'call-expects': '16' };
    await play(story, 'an image that Docker builds', { suite: 'tenant', 'image-archive': '', ...call }, engine.env);
  }
  await cancelled(story);
  return search();
}

/** Everything is there by now: teams and users are found, and nothing is made twice. */
async function twoAtOnce(story: Story): Promise<void> {
  const { context, world } = story;
  const runs = await Promise.all(
    [1, 2].map((id) =>
      play(story, `two at the same time, ${id}`, { suite: suites }, { GITHUB_RUN_ID: String(100 + id) }),
    ),
  );
  await requireNothingLeft(story, 'two at the same time');
  const advice = /kubectl delete secret -n mcp-team-mcprt-smoke-acme smoke-\S+-analytics-creds/;
  for (const run of runs)
    context.expect(advice.test(run.log), `${world.layout}: without a kubeconfig it is not told that Secrets stay`);
  await cleanUp(story, 'cleanup of Secrets', 6, { kubeconfig: world.kubeconfig });
  await requireNothingLeft(story, 'cleanup of Secrets', { withSecrets: true });
}

async function cleanUp({ context, world }: Story, what: string, atLeast: number, inputs: Inputs = {}): Promise<void> {
  const run = await world.smokeTest({ operation: 'cleanup', 'older-than': '0s', ...inputs });
  const { removed } = run.outputs;
  const isDone = run.code === 0 && Number(removed) >= atLeast;
  context.expect(isDone, `${world.layout}: ${what} removed ${removed}`, run);
}

async function play(story: Story, scene: string, inputs: Inputs, env: Inputs = {}): Promise<ActionRun> {
  const { context, world, scenes } = story;
  const { layout } = world;
  const run = await world.smokeTest(inputs, env);
  const { passed: count, failed } = run.outputs;
  const [passed, seconds] = [Number(count), round1(run.seconds)];
  scenes.push({ layout, scene, passed, seconds });
  context.progress(`  ${layout}: ${scene}: ${passed} passed, ${failed} failed in ${seconds} s`);
  const { expect, fail } = context.about(`${layout}: ${scene}`);
  expect(run.code === 0 && failed === '0' && passed > 0, `exit code ${run.code}, ${passed} passed`, run);
  await requireJunit(run).catch((error: unknown) => fail(`JUnit: ${String(error)}`));
  return run;
}

/** The report as a well-known parser reads it has each check of the output `result`, and says the same of it. */
async function requireJunit(run: ActionRun): Promise<void> {
  const report: unknown = await parse(await readFile(run.outputs.junit ?? '', 'utf8'));
  const cases = recordsAt(report, 'testsuite').flatMap((suite) => recordsAt(suite, 'testcase'));
  const checks = recordsAt(resultOf(run), 'checks');
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
  { context, world: { cluster, layout } }: Story,
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
  context.expectSame(`${layout}: ${after}: left`, left, []);
}

/** A job that is cancelled while its server comes up: what it made is removed by its post step. */
async function cancelled(story: Story): Promise<void> {
  const { context, world } = story;
  const { expect, expectDone, expectRefused } = context.about(`${world.layout}: cancelled`);
  const slow = await world.servers.archive({ 'ready-after': '20000' });
  const isDeployed = async (): Promise<boolean> =>
    (await world.cluster.list(kinds.mcpServer)).items.some(({ metadata }) => metadata.deletionTimestamp === undefined);
  let stopped = Promise.resolve();
  const run = await world.smokeTest({ suite: 'tenant', 'image-archive': slow }, {}, (pid) => {
    stopped = until('a server', isDeployed, { every: 50 }).then(() => void process.kill(pid, 'SIGINT'));
  });
  await stopped;
  const made = run.state.made ?? '';
  const post = await world.run('smoke-test-post', {}, { STATE_made: made });
  context.progress(`  ${world.layout}: cancelled: ${made} were made, post step ${post.code}`);
  expectRefused('the run', 'job-cancelled', run);
  expect(made.includes('server'), `it had made ${made}`);
  expectDone('the post step', post);
  await requireNothingLeft(story, 'cancelled');
}
