import { get } from 'node:http';
import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import { found } from '../lab/driver/until.js';
import { createObject } from '../lab/platform/objects.js';
import { numberAt, recordsAt, textAt } from '../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../shared/cluster/objects.js';
import { platformConfig } from '../shared/platform/resources.js';
import { canariesOf, keyCanaries } from './support/canaries.js';
import { round1, sum } from './support/figures.js';
import { searchRuns } from './support/leaks.js';
import type { Proof, ProofContext } from './support/proof.js';
import { resultOf } from './support/runs.js';
import type { Inputs } from './world/actions.js';
import { profilePassword } from './world/base.js';
import { appNamespaces, fingerprintOf } from './world/installation.js';
import { inWorld, type World as WorldOf } from './world/world.js';

type World = WorldOf<'front' | 'installer'>;

/** What one run of action-setup was to be, and came to. */
interface Played {
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
  run: (context) =>
    inWorld(context, ['front', 'installer'], async (world) => {
      const story: Story = { context, scenes: [], wire: {} };
      await installedAgainAndAgain(story, world);
      await inWorld(context, ['front', 'installer'], (fresh) => onNewCluster(story, world, fresh), {
        folder: join(context.folder, 'fresh'),
      });
      const password = { name: 'password in the profile', value: profilePassword };
      const canaries = [...(await canariesOf(world)), ...keyCanaries('own', world.keys), password];
      const { scenes } = story;
      return {
        cases: [...new Set(scenes.map((one) => one.case))],
        ordersAfterTheFirst: sum(scenes.slice(1).map(({ orders }) => orders)),
        sameOnTheWire: scenes.every(({ sameOnTheWire }) => sameOnTheWire),
        filesSearchedForSecrets: await searchRuns(context, canaries),
        scenes,
      };
    }),
};

interface Story {
  context: ProofContext;
  scenes: Played[];
  /** The certificates of the first installation, as a client sees them. */
  wire: Record<string, string>;
}

/** Runs action-setup, and looks whether it came to what it was to. */
async function play(
  story: Story,
  world: World,
  scene: string,
  expected: { case: string; orders: number },
  inputs: Inputs = {},
): Promise<ActionRun> {
  const { context } = story;
  const { result: run, orders, issued, accounts } = await world.counting(() => world.setup(inputs));
  const wire = await world.front.onTheWire().catch((): Record<string, string> => ({}));
  if (expected.orders > 0) story.wire = wire;
  const sameOnTheWire = Object.keys(wire).length === 3 && JSON.stringify(wire) === JSON.stringify(story.wire);
  const { outputs } = run;
  const seconds = round1(run.seconds);
  story.scenes.push({ scene, case: outputs.case ?? '', orders, issued, accounts, seconds, sameOnTheWire });
  context.progress(`  ${scene}: ${outputs.case} with ${orders} orders in ${seconds} s`);
  const { expect, expectDone } = context.about(scene);
  expectDone('setup', run);
  expect(outputs.case === expected.case, `case ${outputs.case} instead of ${expected.case}`, run);
  const isAsMany = orders === expected.orders && issued === expected.orders;
  expect(isAsMany, `${orders} orders, ${issued} issued`, run);
  expect(Number(outputs.orders) === expected.orders, `says ${outputs.orders} orders`, run);
  expect(sameOnTheWire, `on the wire: ${JSON.stringify(wire)}, not ${JSON.stringify(story.wire)}`, run);
  expect(run.summary.includes('Installed and verified'), 'the summary does not say that it worked', run);
  return run;
}

async function installedAgainAndAgain(story: Story, world: World): Promise<void> {
  const { context } = story;
  const { cluster } = world;
  const rerun = (scene: string): Promise<ActionRun> => play(story, world, scene, { case: 'rerun', orders: 0 });
  const gone = (scene: string) => play(story, world, scene, { case: 'cert-manager-gone', orders: 0 });

  // The first one builds the command line from the source, as a user's workflow does.
  const org = { binary: '', 'platform-mode': 'org' };
  const first = await play(story, world, 'empty cluster', { case: 'first-install', orders: 2 }, org);
  const { version = '' } = first.outputs;
  context.expect(/^[0-9a-f]{40}$/.test(version), `no commit: ${version}`);
  requireHeard(context, await play(story, world, 'again', { case: 'rerun', orders: 0 }, { doctor: 'true' }));
  await requireMode(context, world, 'org', 'a rerun');
  await repairsWhatIsDown(context, world, rerun);
  context.expectDone('backup', await world.backup('backup'));

  await world.wipe(ownNamespaces);
  const dry = await world.setup({ 'dry-run': 'true' });
  context.expect(dry.outputs.case === 'rerun-after-wipe' && dry.outputs.orders === '0', 'dry run', dry);
  const looked = await world.setup({ operation: 'check' });
  context.expectRefused('check of a wiped cluster', 'setup-check', looked);
  context.expectSame('its first finding', looked.outputs.finding, 'platform-missing');
  const keyless = await world.setup({ 'restore-key': '' });
  context.expectRefused('a wiped platform without its backup', 'setup-orders', keyless);
  await refusesAnotherMode(context, world, 'after a wipe');
  const again = await play(story, world, 'after a wipe', { case: 'rerun-after-wipe', orders: 0 });
  const isWarned = /orphaned Secret[\s\S]*do not delete this Secret/.test(again.log);
  context.expect(isWarned, 'the installer’s advice to delete what was restored is passed on without a word', again);
  await requireMode(context, world, 'org', 'a wipe');

  const manager = await cluster.list(kinds.deployment, { namespace: 'cert-manager' });
  await Promise.all(manager.items.map(({ metadata }) => cluster.delete(kinds.deployment, metadata)));
  await gone('without cert-manager’s pods');
  await world.wipe([...ownNamespaces, 'cert-manager']);
  await gone('after the runbook’s wipe, cert-manager included');
  await requireMode(context, world, 'org', 'the runbook’s wipe');
  await refusesAnotherMode(context, world, 'live');
  await refusesUnreadableRecord(context, world);
  const agreed = { 'platform-mode': 'tenant', allow: 'platform-mode' };
  await play(story, world, 'another mode, agreed', { case: 'rerun', orders: 0 }, agreed);
  await requireMode(context, world, 'tenant', 'another mode, agreed');
  const checked = await world.setup({ operation: 'check' });
  context.expectDone('check of a healthy cluster', checked);
  const errors = recordsAt(resultOf(checked), 'findings').filter(({ severity }) => severity === 'error');
  context.expectSame('errors of a healthy cluster', errors, []);
}

async function onNewCluster(story: Story, old: World, fresh: World): Promise<void> {
  const inputs = {
    'from-cluster': await fingerprintOf(old.cluster),
    'restore-key': old.keys.restore,
    directory: old.backups,
    // The old certificates chain to the old lab's root.
    'ca-bundle': `${old.root}\n${fresh.root}`,
  };
  const missing = await fresh.setup({ ...inputs, generation: '9' });
  story.context.expectRefused('a generation that is not there', 'backup-missing', missing);
  const named = { ...inputs, generation: '1' };
  await play(story, fresh, 'new cluster, backup of the old one', { case: 'new-cluster', orders: 0 }, named);
  await requireMode(story.context, fresh, 'org', 'a new cluster');
}

/** The doctor was asked, could read all that it reads, and what it complains about came through. */
function requireHeard({ expect, expectSame }: ProofContext, run: ActionRun): void {
  expect(run.log.includes('Checking 1/'), 'the doctor was not asked');
  const complaints = recordsAt(resultOf(run), 'findings').filter(({ code }) => code === 'doctor');
  const forbidden = complaints.filter((one) => /forbidden/i.test(JSON.stringify(one)));
  expectSame('what the doctor may not look at', forbidden, []);
  // Nothing of the lab answers the operator's webhook, so that the doctor's own server is refused.
  expect(complaints.length > 0, 'the doctor’s complaints did not come through');
}

/** The mode that the platform reads, and the namespace that the installer makes for it. */
async function requireMode({ expect }: ProofContext, { cluster }: World, mode: string, after: string): Promise<void> {
  const config = await cluster.get<KubeObject>(kinds.configMap, platformConfig);
  const seen = textAt(config, 'data', 'PLATFORM_MODE');
  expect(seen === mode, `after ${after} the platform’s mode is ${seen || 'none'}, not ${mode}`);
  if (mode === 'tenant') return;
  const catalog = await cluster.get(kinds.namespace, { name: `mcp-servers-${mode}` });
  expect(catalog !== undefined, `after ${after} there is no namespace mcp-servers-${mode}`);
}

/** Asked for another mode than the cluster's or the backup's, setup says so and writes nothing. */
async function refusesAnotherMode(context: ProofContext, { cluster, setup: run }: World, when: string): Promise<void> {
  const count = async (): Promise<number> => (await cluster.list(kinds.configMap)).items.length;
  const before = await count();
  const refused = await run({ 'platform-mode': 'tenant' });
  const { expect, expectRefused, expectSame } = context.about(`${when}: mode tenant instead of org`);
  expectRefused('setup', 'setup-platform-mode', refused);
  expect(refused.log.includes('`allow: platform-mode`'), 'the way on is not told', refused);
  expectSame('ConfigMaps', await count(), before);
}

/** A record of a first install that somebody has changed stops setup; what the refusal advises is a way out. */
async function refusesUnreadableRecord(context: ProofContext, { cluster, setup: run }: World): Promise<void> {
  const ref = { namespace: 'kube-system', name: 'mcprt-setup' };
  await createObject(cluster, kinds.configMap, { metadata: ref, data: { firstInstallSince: '?' } });
  context.expectRefused('an unreadable record', 'setup-record', await run());
  await cluster.delete(kinds.configMap, ref);
}

/** What is down behind a public name stops no setup: setup is what brings it back. */
async function repairsWhatIsDown(
  { expect }: ProofContext,
  { cluster, front, domain }: World,
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
  const options = { host: '127.0.0.1', port: front.httpPort, headers: { host: `platform.${domain}` } };
  const isDown = (): Promise<boolean> =>
    new Promise((resolve, reject) => {
      get(options, ({ statusCode }) => resolve(statusCode === 503)).on('error', reject);
    });
  expect((await found(isDown, { seconds: 20, every: 200 })) ?? false, 'the dashboard is not down');
  await rerun('with dashboard, API and registry at 0 replicas');
  for (const ref of down) {
    const deployment = await cluster.get<KubeObject>(kinds.deployment, ref);
    expect(numberAt(deployment, 'spec', 'replicas') === 1, `setup left ${ref.name} at 0 replicas`);
  }
}
