import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import { difference } from '../lab/driver/meter.js';
import { kinds } from '../shared/cluster/objects.js';
import { isRecord } from '../shared/json.js';
import { accessCanaries, clusterCanaries, keyCanaries } from './canary/canaries.js';
import { filesBelow, leakSearch, withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { appNamespaces } from './rig.js';
import { makeStage, profilePassword, type Stage } from './stage.js';

/** What one run of action-setup was to be, and came to. */
interface Scene {
  scene: string;
  case: string;
  orders: number;
  issued: number;
  accounts: number;
  seconds: number;
  sameOnTheWire: boolean;
}

export const setup: Proof = {
  name: 'setup',
  claim:
    'action-setup: first install, rerun, after a wipe, without cert-manager, on a new cluster: no order but the first ones, same certificates on the wire',
  async run(context) {
    const stage = await makeStage(context);
    const problems: string[] = [];
    const scenes: Scene[] = [];
    try {
      await tell(context, stage, scenes, problems);
      const searched = await searchLeaks(context, stage, problems);
      return verdict(scenes, searched, problems);
    } finally {
      await stage.close();
    }
  },
};

async function tell(context: ProofContext, stage: Stage, scenes: Scene[], problems: string[]): Promise<void> {
  const { rig } = stage;
  let wanted: Record<string, string> = {};
  const play = async (
    on: Stage,
    scene: string,
    expected: { case: string; orders: number },
    inputs: Record<string, string> = {},
  ): Promise<ActionRun> => {
    const counted = await on.rig.meter();
    const run = await on.setup(inputs);
    const { orders, issued, accounts } = difference(counted, await on.rig.meter());
    const wire = await on.onTheWire().catch((): Record<string, string> => ({}));
    if (expected.orders > 0) wanted = wire;
    const sameOnTheWire = Object.keys(wire).length === 3 && JSON.stringify(wire) === JSON.stringify(wanted);
    scenes.push({ scene, case: run.outputs.case ?? '', orders, issued, accounts, seconds: run.seconds, sameOnTheWire });
    context.progress(`  ${scene}: ${run.outputs.case} with ${orders} orders in ${run.seconds.toFixed(1)} s`);
    const fail = (what: string): void => void problems.push(`${scene}: ${what}\n${withoutMasks(run.log).slice(-3000)}`);
    if (run.code !== 0) fail(`exit code ${run.code}`);
    if (run.outputs.case !== expected.case) fail(`case ${run.outputs.case} instead of ${expected.case}`);
    if (orders !== expected.orders || issued !== expected.orders) fail(`${orders} orders, ${issued} issued`);
    if (Number(run.outputs.orders) !== expected.orders) fail(`says ${run.outputs.orders} orders`);
    if (!sameOnTheWire) fail(`other certificates on the wire: ${JSON.stringify(wire)}, not ${JSON.stringify(wanted)}`);
    if (!run.summary.includes('Installed and verified')) fail('the summary does not say that it worked');
    return run;
  };

  // The first one builds the command line from the source, as a user's workflow does.
  const first = await play(stage, 'empty cluster', { case: 'first-install', orders: 2 }, { binary: '' });
  if (!/^[0-9a-f]{40}$/.test(first.outputs.version ?? '')) problems.push(`no commit: ${first.outputs.version}`);
  await play(stage, 'again', { case: 'rerun', orders: 0 });
  const backup = await rig.act('backup');
  if (backup.code !== 0) problems.push(`backup: ${withoutMasks(backup.log)}`);

  await rig.wipe(appNamespaces.filter((name) => name !== 'mcp-team-acme'));
  const dry = await stage.setup({ 'dry-run': 'true' });
  if (dry.outputs.case !== 'rerun-after-wipe' || dry.outputs.orders !== '0')
    problems.push(`dry run: ${withoutMasks(dry.log)}`);
  const looked = await stage.setup({ operation: 'check' });
  if (looked.error !== 'setup-check' || looked.outputs.finding !== 'platform-missing') {
    problems.push(`check of a wiped cluster: ${looked.error}, first ${looked.outputs.finding}`);
  }
  const keyless = await stage.setup({ 'restore-key': '' });
  if (keyless.error !== 'setup-orders')
    problems.push(`a wiped platform was set up without its backup: ${withoutMasks(keyless.log)}`);
  await play(stage, 'after a wipe', { case: 'rerun-after-wipe', orders: 0 });

  const manager = await rig.cluster.list(kinds.deployment, { namespace: 'cert-manager' });
  await Promise.all(
    manager.items.map(({ metadata }) =>
      rig.cluster.delete(kinds.deployment, { namespace: 'cert-manager', name: metadata.name }),
    ),
  );
  await play(stage, 'without cert-manager’s pods', { case: 'cert-manager-gone', orders: 0 });
  await rig.wipe([...appNamespaces.filter((name) => name !== 'mcp-team-acme'), 'cert-manager']);
  await play(stage, 'after the runbook’s wipe, cert-manager included', { case: 'cert-manager-gone', orders: 0 });
  const checked = await stage.setup({ operation: 'check' });
  if (checked.code !== 0 || errorsOf(checked).length > 0)
    problems.push(`check of a healthy cluster: ${withoutMasks(checked.log)}`);

  const fingerprint = (await rig.cluster.get(kinds.namespace, { name: 'kube-system' }))?.metadata.uid ?? '';
  const fresh = await makeStage(context, join(context.folder, 'fresh'));
  try {
    // The old certificates chain to the old lab's root.
    const inputs = {
      'from-cluster': fingerprint,
      'restore-key': rig.keys.restore,
      directory: rig.backups,
      'ca-bundle': `${stage.root}\n${fresh.root}`,
    };
    const missing = await fresh.setup({ ...inputs, generation: '9' });
    if (missing.error !== 'backup-missing')
      problems.push(`a generation that is not there: ${withoutMasks(missing.log)}`);
    const named = { ...inputs, generation: '1' };
    await play(fresh, 'new cluster, backup of the old one', { case: 'new-cluster', orders: 0 }, named);
  } finally {
    await fresh.close();
  }
}

/** Looks for the secrets of cluster, keys, kubeconfig and profile in everything that the runs wrote. */
async function searchLeaks({ folder }: ProofContext, { rig }: Stage, problems: string[]): Promise<number> {
  const search = leakSearch([
    ...(await clusterCanaries(rig.cluster)),
    ...keyCanaries('own', rig.keys),
    ...(await accessCanaries(rig.state.kubeconfig, [])),
    { name: 'password in the profile', value: profilePassword },
  ]);
  const files = (await filesBelow(folder)).filter(({ path }) => /\/run-[0-9a-f]{8}\//.test(path));
  problems.push(...files.flatMap(({ path, text }) => search.in(text).map((name) => `${path} holds ${name}`)));
  return files.length;
}

function errorsOf(run: ActionRun): unknown[] {
  const result: unknown = JSON.parse(run.outputs.result ?? '{}');
  const findings = isRecord(result) && Array.isArray(result.findings) ? result.findings : [];
  return findings.filter((one) => isRecord(one) && one.severity === 'error');
}

function verdict(scenes: Scene[], filesSearched: number, problems: string[]): Proven {
  return {
    ok: problems.length === 0,
    figures: {
      cases: [...new Set(scenes.map((one) => one.case))],
      ordersAfterTheFirst: scenes.slice(1).reduce((sum, { orders }) => sum + orders, 0),
      sameOnTheWire: scenes.every(({ sameOnTheWire }) => sameOnTheWire),
      filesSearchedForSecrets: filesSearched,
      scenes: scenes.map((one) => ({ ...one, seconds: Math.round(one.seconds * 10) / 10 })),
    },
    problems,
  };
}
