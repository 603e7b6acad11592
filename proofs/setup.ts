import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionRun } from '../lab/driver/action.js';
import { difference } from '../lab/driver/meter.js';
import { objectOf } from '../shared/cluster/cluster.js';
import { numberAt, recordsAt, textAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { isRecord } from '../shared/json.js';
import { platformConfig } from '../shared/platform/resources.js';
import { accessCanaries, clusterCanaries, keyCanaries } from './canary/canaries.js';
import { filesBelow, leakSearch, withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { appNamespaces, type Rig } from './rig.js';
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

/** The platform's, as the installer of this proof has made them. */
const ownNamespaces = [...appNamespaces.filter((name) => name !== 'mcp-team-acme'), 'mcp-servers-org'];

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
  const org = { 'platform-mode': 'org' };
  const first = await play(stage, 'empty cluster', { case: 'first-install', orders: 2 }, { binary: '', ...org });
  if (!/^[0-9a-f]{40}$/.test(first.outputs.version ?? '')) problems.push(`no commit: ${first.outputs.version}`);
  const again = await play(stage, 'again', { case: 'rerun', orders: 0 }, { doctor: 'true' });
  requireHeard(again, problems);
  await requireMode(rig, 'org', 'a rerun', problems);
  await repairsWhatIsDown(stage, problems, (scene) => play(stage, scene, { case: 'rerun', orders: 0 }));
  const backup = await rig.act('backup');
  if (backup.code !== 0) problems.push(`backup: ${withoutMasks(backup.log)}`);

  await rig.wipe(ownNamespaces);
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
  await refusesAnotherMode(stage, 'after a wipe', problems);
  await play(stage, 'after a wipe', { case: 'rerun-after-wipe', orders: 0 });
  await requireMode(rig, 'org', 'a wipe', problems);

  const manager = await rig.cluster.list(kinds.deployment, { namespace: 'cert-manager' });
  await Promise.all(
    manager.items.map(({ metadata }) =>
      rig.cluster.delete(kinds.deployment, { namespace: 'cert-manager', name: metadata.name }),
    ),
  );
  await play(stage, 'without cert-manager’s pods', { case: 'cert-manager-gone', orders: 0 });
  await rig.wipe([...ownNamespaces, 'cert-manager']);
  await play(stage, 'after the runbook’s wipe, cert-manager included', { case: 'cert-manager-gone', orders: 0 });
  await requireMode(rig, 'org', 'the runbook’s wipe', problems);
  await refusesAnotherMode(stage, 'live', problems);
  await refusesUnreadableRecord(stage, problems);
  const agreed = { 'platform-mode': 'tenant', allow: 'platform-mode' };
  await play(stage, 'another mode, agreed', { case: 'rerun', orders: 0 }, agreed);
  await requireMode(rig, 'tenant', 'another mode, agreed', problems);
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
    await requireMode(fresh.rig, 'org', 'a new cluster', problems);
  } finally {
    await fresh.close();
  }
}

/** The doctor was asked, could read all that it reads, and what it complains about came through. */
function requireHeard({ log, outputs }: ActionRun, problems: string[]): void {
  if (!log.includes('Checking 1/')) problems.push('the doctor was not asked');
  const result: unknown = JSON.parse(outputs.result ?? '{}');
  const complaints = recordsAt(result, 'findings').filter(({ code }) => code === 'doctor');
  const forbidden = complaints.filter((one) => /forbidden/i.test(JSON.stringify(one)));
  if (forbidden.length > 0) problems.push(`the doctor may not look: ${JSON.stringify(forbidden)}`);
  // Nothing of the lab answers the operator's webhook, so that the doctor's own server is refused.
  if (complaints.length === 0) problems.push('the doctor’s complaints did not come through');
}

/** The mode that the platform reads, and the namespace that the installer makes for it. */
async function requireMode({ cluster }: Rig, mode: string, after: string, problems: string[]): Promise<void> {
  const config = await cluster.get<KubeObject>(kinds.configMap, platformConfig);
  const found = textAt(config, 'data', 'PLATFORM_MODE');
  if (found !== mode) problems.push(`after ${after} the platform’s mode is ${found || 'none'}, not ${mode}`);
  if (mode === 'tenant') return;
  const catalog = await cluster.get(kinds.namespace, { name: `mcp-servers-${mode}` });
  if (catalog === undefined) problems.push(`after ${after} there is no namespace mcp-servers-${mode}`);
}

/** Asked for another mode than the cluster's or the backup's, setup says so and writes nothing. */
async function refusesAnotherMode({ rig, setup: run }: Stage, when: string, problems: string[]): Promise<void> {
  const before = (await rig.cluster.list(kinds.configMap)).items.length;
  const refused = await run({ 'platform-mode': 'tenant' });
  if (refused.error !== 'setup-platform-mode' || !refused.log.includes('`allow: platform-mode`')) {
    problems.push(`${when}: mode tenant instead of org: ${refused.error}\n${withoutMasks(refused.log).slice(-2000)}`);
  }
  const after = (await rig.cluster.list(kinds.configMap)).items.length;
  if (before !== after) problems.push(`${when}: a refused mode wrote a ConfigMap`);
}

/** A record of a first install that somebody has changed stops setup; what the refusal advises is a way out. */
async function refusesUnreadableRecord({ rig: { cluster }, setup: run }: Stage, problems: string[]): Promise<void> {
  const ref = { namespace: 'kube-system', name: 'mcprt-setup' };
  await cluster.create(kinds.configMap, objectOf(kinds.configMap, { metadata: ref, data: { firstInstallSince: '?' } }));
  const refused = await run();
  if (refused.error !== 'setup-record') problems.push(`an unreadable record: ${refused.error}`);
  await cluster.delete(kinds.configMap, ref);
}

/** What is down behind a public name stops no setup: setup is what brings it back. */
async function repairsWhatIsDown(
  { rig: { cluster }, front }: Stage,
  problems: string[],
  rerun: (scene: string) => Promise<ActionRun>,
): Promise<void> {
  const down = [
    { namespace: 'mcp-sentinel', name: 'mcp-sentinel-ui' },
    { namespace: 'mcp-sentinel', name: 'mcp-platform-api' },
    { namespace: 'registry', name: 'registry' },
  ];
  for (const ref of down) {
    await cluster.patch(kinds.deployment, ref, [{ op: 'add', path: '/spec/replicas', value: 0 }]);
  }
  const host = front.resolve.find((line) => line.startsWith('platform.'))?.split(':')[0] ?? '';
  const answer = async (): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port: front.httpPort, headers: { host } }, ({ statusCode }) => resolve(statusCode)).on(
        'error',
        reject,
      );
    });
  for (const end = Date.now() + 20_000; (await answer()) !== 503 && Date.now() < end; ) await sleep(200);
  if ((await answer()) !== 503) problems.push('the dashboard is not down');
  await rerun('with dashboard, API and registry at 0 replicas');
  for (const ref of down) {
    const found = await cluster.get<KubeObject>(kinds.deployment, ref);
    if (numberAt(found, 'spec', 'replicas') !== 1) problems.push(`setup left ${ref.name} at 0 replicas`);
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
