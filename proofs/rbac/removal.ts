import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { type Action, type ActionRun, withoutMasks } from '../../lab/driver/action.js';
import { rbacVariable } from '../../lab/driver/lab.js';
import { grant, withToken } from '../../lab/driver/rbac.js';
import { accountOf, grants, type OperationName } from '../../shared/permissions/operations.js';
import { type Demand, demandsOf, wordsOf } from '../../shared/permissions/rule.js';
import type { ProofContext } from '../support/proof.js';
import type { Inputs } from '../world/actions.js';
import { inWorld, type World as WorldOf } from '../world/world.js';
import { type Asked, auditEnds, readAudit } from './audit.js';
import { walkWholeWay } from './whole-way.js';

export interface Removed {
  /** How many verbs were taken away, by operation. */
  removed: Record<string, number>;
  /** What the whole way of action-backup has asked for, before anything was taken away. */
  asked: Asked[];
}

/** How an operation is started; what it would do never begins. */
interface Start {
  entry: Action;
  names: readonly [OperationName, ...OperationName[]];
  inputs: Inputs;
}

type World = WorldOf<'front' | 'installer' | 'source'>;

/** Operations at a time: each has an account of its own. */
const width = 2;

/**
 * Takes each verb of each operation away in turn, runs the operation, and requires that it names what it lacks and
 * writes nothing, by the API server's audit log.
 */
export async function removeEach(context: ProofContext): Promise<Removed> {
  const logs = join(context.folder, 'removal');
  await mkdir(logs);
  const narrowed = { ...context, lab: () => context.lab({ env: { [rbacVariable]: logs } }) };
  return inWorld(narrowed, ['front', 'installer', 'source', 'platform'], async (world) => {
    const removed: Removed['removed'] = {};
    await walkWholeWay(world);
    await world.install();
    await lookOfPullRequests(context, world);
    const asked = await readAudit(logs);
    // Options are granted to the accounts of the operations that they belong to: one after the other there.
    const groups = Map.groupBy([...grants.keys()], (name) => grants.get(name)?.accounts[0] ?? name);
    await pMap(
      groups.values(),
      async (names) => {
        for (const name of names) removed[name] = await removeFrom(context, world, logs, name);
      },
      { concurrency: width },
    );
    return { removed, asked };
  });
}

/** What a pull request may look at: nobody else’s run has these accounts. What a look finds is no matter here. */
async function lookOfPullRequests(context: ProofContext, world: World): Promise<void> {
  for (const name of ['setup-pull-request', 'rollout-pull-request'] as const) {
    const { names } = startOf(world, name);
    const run = await started(world, name, (await grant(world.state, world.cluster, names)).token);
    const isLet = !/permission-missing|cluster-forbidden/.test(run.error ?? '');
    context.expect(isLet, `${name} with generated RBAC`, run);
  }
}

/** Runs an operation with a token of its account. */
async function started(world: World, name: OperationName, token: string): Promise<ActionRun> {
  const { entry, inputs } = startOf(world, name);
  const kubeconfig = await withToken(world.state, token);
  return world.run(entry, { ...inputs, kubeconfig }, { GITHUB_RUN_ID: '7', GITHUB_JOB: 'rbac' });
}

/** @returns how many verbs were taken away */
async function removeFrom(context: ProofContext, world: World, logs: string, name: OperationName): Promise<number> {
  const demands = (grants.get(name)?.rules ?? []).filter(({ optional }) => !optional).flatMap(demandsOf);
  const step = context.small ? Math.ceil(demands.length / 2) : 1;
  const chosen = demands.filter((_, index) => index % step === 0);
  for (const demand of chosen) await removeOne(context, world, { name, demand, logs });
  context.progress(`  ${name}: ${chosen.length} of ${demands.length} verbs taken away in turn`);
  return chosen.length;
}

async function removeOne(
  context: ProofContext,
  world: World,
  { name, demand, logs }: { name: OperationName; demand: Demand; logs: string },
): Promise<void> {
  const { names } = startOf(world, name);
  const { token } = await grant(world.state, world.cluster, names, demand);
  const since = await auditEnds(logs);
  const run = await started(world, name, token);
  const account = accountOf(names[0]);
  const written = (await readAudit(logs, since)).filter((one) => one.account === account && one.isWrite);
  const { expect, expectSame } = context.about(`${name} without ${wordsOf(demand)}`);
  expect(run.code === 1, `it ended with ${run.code}`);
  expect(withoutMasks(run.log).includes('permission-missing'), `it failed with ${run.error}`, run);
  expect(withoutMasks(run.log).includes(wordsOf(demand)), 'it does not name it', run);
  expectSame('it wrote', written.map(wordsOf), []);
}

function startOf({ domain, keys, source }: World, name: OperationName): Start {
  const backup = (operation: OperationName, more: Inputs): Start => ({
    entry: 'backup',
    names: [operation],
    inputs: { operation, ...more },
  });
  const rollout = (operation: string, names: Start['names'], more: Inputs = {}): Start => ({
    entry: 'rollout',
    names,
    inputs: { operation, ...more },
  });
  const setup = (more: Inputs): Start => ({ entry: 'setup', names: [name], inputs: more });
  switch (name) {
    case 'backup':
    case 'verify':
      return backup(name, { 'backup-key': keys.backup });
    case 'wipe':
      return backup(name, { 'backup-key': keys.backup, confirm: domain });
    case 'plan':
    case 'restore':
      return backup(name, { 'restore-key': keys.restore });
    case 'setup-pull-request':
      return setup({ operation: 'check' });
    case 'check':
    case 'install':
      return setup({ operation: name });
    case 'setup-plan':
      return setup({ operation: 'install', 'dry-run': 'true' });
    case 'rollout':
      return rollout('rollout', [name]);
    case 'rollout-plan':
      return rollout('plan', [name]);
    case 'rollout-pull-request':
      return rollout('plan', [name], { 'without-secrets': 'true' });
    case 'rollout-port-forward':
      return rollout('rollout', ['rollout', name], { 'registry-access': 'port-forward' });
    case 'rollout-permissions':
      return rollout('rollout', ['rollout', name], { permissions: 'auto' });
    case 'smoke-test':
      return {
        entry: 'smoke-test',
        names: [name],
        inputs: { suite: 'tenant', source },
      };
  }
}
