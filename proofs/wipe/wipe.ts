import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionRun } from '../../lab/driver/action.js';
import { found } from '../../lab/driver/until.js';
import { createObject } from '../../lab/platform/objects.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { recordsAt, textAt } from '../../shared/cluster/fields.js';
import { kinds } from '../../shared/cluster/objects.js';
import { brakeOf } from '../support/brake.js';
import { momentsOf, struckAt } from '../support/kills.js';
import { type Leaf, leaves } from '../support/leaves.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { resultOf } from '../support/runs.js';
import type { Inputs, OnStart } from '../world/actions.js';
import { inWorld, type World } from '../world/world.js';
import { bystanders, furnish, ourNamespaces, remains } from './furniture.js';
import { refuseAll } from './refusals.js';

export const wipeProof: Proof = {
  name: 'wipe',
  claim:
    'a wipe refuses, with a code each, what is not proven; takes only what is MCP Runtime’s; killed anywhere, a rerun finishes it on a good backup',
  run: (context) => inWorld(context, ['gate', 'platform'], (world) => wipeAgainAndAgain(context, world)),
};

/** What must be the same after each wipe and its way back. */
interface Story {
  context: ProofContext;
  world: World<'gate'>;
  before: Leaf[];
  spared: string;
}

async function wipeAgainAndAgain(context: ProofContext, world: World<'gate'>) {
  const { gate, cluster } = world;
  await furnish(cluster);
  const spared = JSON.stringify(await bystanders(cluster));
  const story: Story = { context, world, before: await leaves(cluster), spared };
  const { result, orders, issued } = await world.counting(async () => {
    await dryRun(story);
    const refused = await refuseAll(context, world);
    context.progress(`  ${Object.keys(refused.refusals).length} refusals, ${refused.deletionsByRefusals} deletions`);
    gate.reset({});
    const whole = await wipe(story);
    const writes = [...gate.writes()];
    await requireWiped(story, whole, 'undisturbed');
    if (context.problems.length > 0) return refused;
    await bringBack(story, 'undisturbed');
    return {
      ...refused,
      writes: writes.length,
      ...(await killEverywhere(story, writes)),
      ...(await withoutProof(story)),
      stuck: await heldByFinalizer(story),
      leftByAllApps: await everyApplication(story),
    };
  });
  context.expect(orders === 0 && issued === 0, `${orders} orders, ${issued} issuances`);
  return { ...result, orders, issued };
}

function wipe({ world }: Story, inputs: Inputs = {}, attempt = '1', onStart?: OnStart): Promise<ActionRun> {
  const given = { kubeconfig: world.gate.kubeconfig, confirm: world.domain, ...inputs };
  return world.backup('wipe', given, { GITHUB_RUN_ATTEMPT: attempt }, onStart);
}

/** A dry run lists exactly what is there, with UIDs, and writes nothing. */
async function dryRun(story: Story): Promise<void> {
  const { context, world } = story;
  world.gate.reset({});
  const done = await wipe(story, { 'dry-run': 'true', confirm: '' });
  context.expectDone('the dry run', done);
  context.expectSame('writes of the dry run', world.gate.writes(), []);
  const targets = recordsAt(resultOf(done), 'targets');
  const { items } = await world.cluster.list(kinds.namespace);
  for (const name of ourNamespaces) {
    const uid = items.find(({ metadata }) => metadata.name === name)?.metadata.uid;
    const isListed = targets.some((one) => one.subject === `Namespace ${name}` && one.uid === uid);
    context.expect(isListed, `the dry run does not list Namespace ${name} ${uid}`);
  }
}

/** The runbook's own wipe, asked for by name: everything but the cluster's own namespaces goes, and it says what was not ours. */
async function everyApplication(story: Story): Promise<string[]> {
  const { context, world } = story;
  const done = await wipe(story, { scope: 'all-apps', also: 'cert-manager' });
  context.expectDone('all-apps: the wipe', done);
  const { items } = await world.cluster.list(kinds.namespace);
  const left = items.map(({ metadata }) => metadata.name).sort();
  const others = left.filter((name) => name !== 'default' && !name.startsWith('kube-'));
  context.expect(others.length === 0, `all-apps left ${others.join(', ')}`);
  context.expect(done.summary.includes('shop'), 'all-apps: the summary does not name the namespace of others');
  await bringBack(story, 'all-apps');
  return left;
}

/** What must hold after a wipe that says that it has finished. */
async function requireWiped(
  { context, world: { cluster }, spared }: Story,
  done: ActionRun,
  label: string,
): Promise<void> {
  const { expect, expectDone, expectSame } = context.about(label);
  expectDone('the wipe', done);
  expectSame('still there', await remains(cluster), []);
  expect(JSON.stringify(await bystanders(cluster)) === spared, 'others were touched');
  const journal = await cluster.get(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-wipe' });
  expect(journal === undefined, 'the journal is left');
  expectSame('the lock', await brakeOf(cluster), []);
}

/** The backup that the wipe stood on is good: it verifies, restores, and setup then orders nothing. */
async function bringBack({ context, world, before }: Story, label: string): Promise<void> {
  const { expectDone, expectSame } = context.about(label);
  expectDone('the backup', await world.backup('verify', { 'restore-key': world.keys.restore }));
  expectDone('the restore', await world.backup('restore'));
  await world.install();
  await furnish(world.cluster);
  expectSame('other certificates than before', await leaves(world.cluster), before);
}

async function killEverywhere(story: Story, writes: readonly string[]) {
  const { context, world } = story;
  const moments = momentsOf(writes.length);
  // In small, one wipe is killed again and again until it may finish: at last when a namespace is on its way out.
  const leaving = writes.findIndex((what) => /^DELETE \/api\/v1\/namespaces\/[^/]+$/.test(what));
  const chosen = context.small
    ? [moments.filter((_, index) => [4, 13, 2 * leaving + 3].includes(index))]
    : moments.map((one) => [one]);
  const unreached: string[] = [];
  let [kills, resumed] = [0, 0];
  for (const attempts of chosen) {
    const label = attempts.map(({ when, k }) => `${when} ${k}`).join(', ');
    for (const [index, moment] of attempts.entries()) {
      const killed = await struckAt(world.gate, moment, (onStart) => wipe(story, {}, String(index + 1), onStart));
      if (killed.signal === 'SIGKILL') kills += 1;
      else if (killed.code === 0) unreached.push(`${moment.when} ${moment.k}`);
      else context.fail(`${label}: the wipe failed by itself`, killed);
    }
    const again = await wipe(story, {}, String(attempts.length + 1));
    if (startOf(again) === 'resumed') resumed += 1;
    await requireWiped(story, again, label);
    await bringBack(story, label);
    context.progress(
      `  killed ${label} of ${writes.length} writes: ${startOf(again)}, ${context.problems.length === 0 ? 'finished' : 'PROBLEMS'}`,
    );
  }
  context.expect(resumed > 0, 'no rerun went on with the wipe before it');
  return { kills, resumed, unreached };
}

/** A namespace that does not go is explained down to the object and its finalizer, and a rerun finishes. */
async function heldByFinalizer(story: Story): Promise<string> {
  const { context, world } = story;
  const { cluster } = world;
  const ref = { namespace: 'tools', name: 'held' };
  const held = objectOf(kinds.configMap, { metadata: { ...ref, finalizers: ['example.com/hold'] } });
  await cluster.create(kinds.configMap, held);
  world.gate.reset({});
  const first = await wipe(story, { timeout: '30s' });
  // There is a journal of an older wipe, and everything that it names is there.
  context.expect(first.log.includes('sealed generation'), 'a whole cluster is not wiped on a fresh backup');
  const told = /tools: configmaps held waits for example\.com\/hold/.exec(first.log)?.[0] ?? '';
  context.expect(first.error === 'wipe-stuck' && told !== '', 'a held namespace is told as', first);

  // While it is held, something makes a namespace anew that was wiped. On a busy machine the others take longer than the wipe.
  const again = { name: 'mcp-servers' };
  await found(async () => (await cluster.get(kinds.namespace, again)) === undefined, { every: 200 });
  await createObject(cluster, kinds.namespace, { metadata: again });
  const second = wipe(story, {}, '2');
  await sleep(1000);
  await cluster.patch(kinds.configMap, ref, [{ op: 'remove', path: '/metadata/finalizers' }]);
  const done = await second;
  context.expectSame('the wipe after the finalizer', startOf(done), 'resumed');
  await requireWiped(story, done, 'after the finalizer');
  await bringBack(story, 'after the finalizer');
  return told;
}

/** A wipe that was cut off goes on only on the backup that it began with, and only while that one holds everything. */
async function withoutProof(story: Story): Promise<{ proofLost: string; unsaved: string }> {
  const { context, world } = story;
  const { gate } = world;
  let pid = 0;
  gate.reset({
    afterWrite: (_, what) => {
      if (what.endsWith('/namespaces/mcp-runtime')) process.kill(pid, 'SIGKILL');
    },
    // Of all namespaces only this one goes, and only its Secret is gone.
    beforeWrite: (_, what) => (/^DELETE \/api\/v1\/namespaces\/(?!mcp-runtime$)/.test(what) ? 'drop' : undefined),
  });
  await wipe(story, {}, '1', (started) => {
    pid = started;
  });
  await sleep(50);
  gate.reset({});
  const lost = await wipe(story, { directory: join(context.folder, 'empty') }, '2');
  const secret = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  await world.cluster.patch(kinds.secret, secret, [{ op: 'add', path: '/data/LATE', value: 'bGF0ZQ==' }]);
  const unsaved = await wipe(story, {}, '3');
  const deleted = gate.writes().filter((what) => what.startsWith('DELETE'));
  context.expectSame('deletions of a wipe without a proof', deleted, []);
  context.expectRefused('the proof is lost', 'wipe-proof-lost', lost);
  context.expectRefused('something is not saved', 'wipe-unsaved', unsaved);
  // What the refusals advise: the cluster is made whole, and the journal of the cut-off wipe is then history.
  await bringBack(story, 'after the refusals');
  return { proofLost: lost.error ?? '', unsaved: unsaved.error ?? '' };
}

function startOf(run: ActionRun): string {
  return textAt(resultOf(run), 'start') || 'failed';
}
