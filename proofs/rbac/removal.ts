import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { defaultsOf, runBundle } from '../../lab/driver/action.js';
import { rbacVariable } from '../../lab/driver/lab.js';
import { grant, withToken } from '../../lab/driver/rbac.js';
import { accountOf, grants, type OperationName } from '../../shared/permissions/operations.js';
import { type Demand, demandsOf, wordsOf } from '../../shared/permissions/rule.js';
import { withoutMasks } from '../leaks.js';
import type { ProofContext } from '../proof.js';
import { makeStage, type Stage } from '../stage.js';
import { type Asked, auditEnds, readAudit } from './audit.js';
import { walkWholeWay } from './whole-way.js';

export interface Removed {
  /** How many verbs were taken away, by operation. */
  removed: Record<string, number>;
  /** What the whole way of action-backup has asked for, before anything was taken away. */
  asked: Asked[];
  problems: string[];
}

/** How an operation is started; what it would do never begins. */
interface Start {
  entry: string;
  action: string;
  names: readonly [OperationName, ...OperationName[]];
  inputs: Record<string, string>;
}

/** Operations at a time: each has an account of its own. */
const width = 2;

/**
 * Takes each verb of each operation away in turn, runs the operation, and requires that it names what it lacks and
 * writes nothing, by the API server's audit log.
 */
export async function removeEach(context: ProofContext): Promise<Removed> {
  const logs = join(context.folder, 'removal');
  await mkdir(logs);
  const stage = await makeStage({ ...context, lab: () => context.lab({ [rbacVariable]: logs }) });
  const result: Removed = { removed: {}, asked: [], problems: [] };
  try {
    await stage.rig.install();
    result.problems.push(...(await walkWholeWay(stage)));
    await stage.rig.install();
    result.problems.push(...(await lookOfPullRequests(context, stage)));
    result.asked = await readAudit(logs);
    // Options are granted to the accounts of the operations that they belong to: one after the other there.
    const groups = Map.groupBy([...grants.keys()], (name) => grants.get(name)?.accounts[0] ?? name);
    await pMap(
      groups.values(),
      async (names) => {
        for (const name of names) await removeFrom(context, stage, logs, name, result);
      },
      { concurrency: width },
    );
    return result;
  } finally {
    await stage.close();
  }
}

/** What a pull request may look at: nobody else’s run has these accounts. What a look finds is no matter here. */
async function lookOfPullRequests(context: ProofContext, stage: Stage): Promise<string[]> {
  const problems: string[] = [];
  for (const name of ['setup-pull-request', 'rollout-pull-request'] as const) {
    const { entry, action, names, inputs } = startOf(stage, name);
    const { token } = await grant(stage.rig.state, stage.rig.cluster, names);
    const run = await runBundle({
      entry,
      folder: context.folder,
      defaults: await defaultsOf(action),
      inputs: { ...inputs, kubeconfig: await withToken(stage.rig.state, token) },
      env: { GITHUB_REPOSITORY: 'acme/platform', GITHUB_REPOSITORY_ID: '42', GITHUB_RUN_ID: '7', GITHUB_JOB: 'rbac' },
    });
    if (/permission-missing|cluster-forbidden/.test(run.error ?? ''))
      problems.push(`${name} with generated RBAC: ${withoutMasks(run.log).slice(-900)}`);
  }
  return problems;
}

async function removeFrom(
  context: ProofContext,
  stage: Stage,
  logs: string,
  name: OperationName,
  result: Removed,
): Promise<void> {
  const demands = (grants.get(name)?.rules ?? []).filter(({ optional }) => !optional).flatMap(demandsOf);
  const step = context.small ? Math.ceil(demands.length / 2) : 1;
  const chosen = demands.filter((_, index) => index % step === 0);
  const start = startOf(stage, name);
  const defaults = await defaultsOf(start.action);
  for (const demand of chosen) {
    const problem = await removeOne(context, stage, { start, defaults, demand, logs });
    if (problem !== '') result.problems.push(`${name} without ${wordsOf(demand)}: ${problem}`);
  }
  result.removed[name] = chosen.length;
  context.progress(`  ${name}: ${chosen.length} of ${demands.length} verbs taken away in turn`);
}

async function removeOne(
  context: ProofContext,
  { rig }: Stage,
  { start, defaults, demand, logs }: { start: Start; defaults: Record<string, string>; demand: Demand; logs: string },
): Promise<string> {
  const account = accountOf(start.names[0]);
  const { token } = await grant(rig.state, rig.cluster, start.names, demand);
  const since = await auditEnds(logs);
  const run = await runBundle({
    entry: start.entry,
    folder: context.folder,
    defaults,
    inputs: { ...start.inputs, kubeconfig: await withToken(rig.state, token) },
    env: { GITHUB_REPOSITORY: 'acme/platform', GITHUB_REPOSITORY_ID: '42', GITHUB_RUN_ID: '7', GITHUB_JOB: 'rbac' },
  });
  const written = (await readAudit(logs, since)).filter((one) => one.account === account && one.isWrite);
  const log = withoutMasks(run.log);
  return [
    run.code === 1 ? '' : `it ended with ${run.code}`,
    log.includes('permission-missing') ? '' : `it failed with ${run.error}: ${log.slice(-600)}`,
    log.includes(wordsOf(demand)) ? '' : `it does not name it: ${log.slice(-600)}`,
    written.length === 0 ? '' : `it wrote: ${written.map(wordsOf).join(', ')}`,
  ]
    .filter((line) => line !== '')
    .join('; ');
}

function startOf(stage: Stage, name: OperationName): Start {
  const { rig, source, root } = stage;
  const { domain } = rig.installation;
  const store = { domain, stores: 'directory', directory: rig.backups };
  const { profile } = stage;
  const platform = { profile, source, resolve: stage.front.resolve.join('\n'), 'ca-bundle': root };
  const backup = (operation: OperationName, more: Record<string, string>): Start => ({
    entry: 'backup.js',
    action: 'action-backup',
    names: [operation],
    inputs: { ...store, operation, ...more },
  });
  const rollout = (operation: string, names: Start['names'], more: Record<string, string> = {}): Start => ({
    entry: 'rollout.js',
    action: 'action-rollout',
    names,
    inputs: { ...platform, operation, ...more },
  });
  const setup = (more: Record<string, string>): Start => ({
    entry: 'setup.js',
    action: 'action-setup',
    names: [name],
    inputs: { ...platform, 'acme-email': `ops@${domain}`, binary: stage.binary, ...more },
  });
  switch (name) {
    case 'backup':
    case 'verify':
      return backup(name, { 'backup-key': rig.keys.backup });
    case 'wipe':
      return backup(name, { 'backup-key': rig.keys.backup, confirm: domain });
    case 'plan':
    case 'restore':
      return backup(name, { 'restore-key': rig.keys.restore });
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
        entry: 'smoke-test.js',
        action: 'action-smoke-test',
        names: [name],
        inputs: { domain, suite: 'tenant', 'user-password': 'a password of a test', source },
      };
  }
}
