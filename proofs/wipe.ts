import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ActionRun } from '../lab/driver/action.js';
import { difference } from '../lab/driver/meter.js';
import { objectOf } from '../shared/cluster/cluster.js';
import { kinds } from '../shared/cluster/objects.js';
import { type Gate, openGate } from './gate.js';
import { type Leaf, leaves } from './leaves.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { makeRig, type Rig } from './rig.js';
import { refuseAll } from './wipe/refusals.js';
import { bystanders, furnish, ourNamespaces, remains } from './wipe/world.js';

export const wipeProof: Proof = {
  name: 'wipe',
  claim:
    'a wipe refuses, with a code each, what is not proven; takes only what is MCP Runtime’s; killed anywhere, a rerun finishes it on a good backup',
  async run(context) {
    const rig = await makeRig(context);
    const gate = await openGate(rig.state);
    try {
      return await prove(context, rig, gate);
    } finally {
      await gate.close();
      await rig.close();
    }
  },
};

/** A world to wipe again and again, with what must be the same after each time. */
interface Stage {
  rig: Rig;
  gate: Gate;
  before: Leaf[];
  spared: string;
  problems: string[];
  wipe(inputs?: Record<string, string>, attempt?: string, onStart?: (pid: number) => void): Promise<ActionRun>;
}

async function prove(context: ProofContext, rig: Rig, gate: Gate): Promise<Proven> {
  await rig.install();
  await furnish(rig.cluster);
  const stage: Stage = {
    rig,
    gate,
    before: await leaves(rig.cluster),
    spared: JSON.stringify([...(await bystanders(rig.cluster))]),
    problems: [],
    wipe: (inputs = {}, attempt = '1', onStart) =>
      rig.act(
        'wipe',
        { kubeconfig: gate.kubeconfig, confirm: rig.installation.domain, ...inputs },
        { GITHUB_RUN_ATTEMPT: attempt },
        onStart,
      ),
  };
  const counted = await rig.meter();
  await dryRun(stage);
  const refused = await refuseAll(context, rig, gate);
  stage.problems.push(...refused.problems);
  context.progress(`  ${Object.keys(refused.codes).length} refusals, ${refused.deletions} deletions`);

  gate.reset({});
  const whole = await stage.wipe();
  const writes = [...gate.writes()];
  await wiped(stage, whole, 'undisturbed');
  if (stage.problems.length > 0) return { ok: false, figures: { ...refused }, problems: stage.problems };
  await bringBack(stage, 'undisturbed');

  const kills = await killEverywhere(context, stage, writes);
  const unfinished = await withoutProof(context, stage);
  const stuck = await heldByFinalizer(stage);
  const emptied = await everyApplication(stage);
  const { orders, issued } = difference(counted, await rig.meter());
  if (orders !== 0 || issued !== 0) stage.problems.push(`${orders} orders, ${issued} issuances`);
  return {
    ok: stage.problems.length === 0,
    figures: {
      refusals: refused.codes,
      deletionsByRefusals: refused.deletions,
      writes: writes.length,
      ...kills,
      stuck,
      leftByAllApps: emptied,
      ...unfinished,
      orders,
      issued,
    },
    problems: stage.problems,
  };
}

/** A dry run lists exactly what is there, with UIDs, and writes nothing. */
async function dryRun({ rig, gate, wipe, problems }: Stage): Promise<void> {
  gate.reset({});
  const done = await wipe({ 'dry-run': 'true', confirm: '' });
  if (done.code !== 0) problems.push(`the dry run failed: ${tail(done)}`);
  if (gate.writes().length > 0) problems.push(`the dry run wrote: ${gate.writes().join(', ')}`);
  const result = JSON.parse(done.outputs.result ?? '{}') as { targets?: { subject: string; uid: string }[] };
  const { items } = await rig.cluster.list(kinds.namespace);
  for (const name of ourNamespaces) {
    const uid = items.find(({ metadata }) => metadata.name === name)?.metadata.uid;
    if (!result.targets?.some((one) => one.subject === `Namespace ${name}` && one.uid === uid)) {
      problems.push(`the dry run does not list Namespace ${name} ${uid}`);
    }
  }
}

/** The runbook's own wipe, asked for by name: everything but the cluster's own namespaces goes, and it says what was not ours. */
async function everyApplication(stage: Stage): Promise<string[]> {
  const { rig, wipe, problems } = stage;
  const done = await wipe({ scope: 'all-apps', also: 'cert-manager' });
  if (done.code !== 0) problems.push(`all-apps: the wipe failed: ${tail(done)}`);
  const { items } = await rig.cluster.list(kinds.namespace);
  const left = items.map(({ metadata }) => metadata.name).sort();
  if (left.some((name) => name !== 'default' && !name.startsWith('kube-')))
    problems.push(`all-apps left ${left.join(', ')}`);
  if (!done.summary.includes('shop')) problems.push('all-apps: the summary does not name the namespace of others');
  await bringBack(stage, 'all-apps');
  return left;
}

/** What must hold after a wipe that says that it has finished. */
async function wiped({ rig, spared, problems }: Stage, done: ActionRun, label: string): Promise<void> {
  if (done.code !== 0) problems.push(`${label}: the wipe failed: ${tail(done)}`);
  const left = await remains(rig.cluster);
  if (left.length > 0) problems.push(`${label}: still there: ${left.join(', ')}`);
  if (JSON.stringify([...(await bystanders(rig.cluster))]) !== spared) problems.push(`${label}: others were touched`);
  if (await rig.cluster.get(kinds.configMap, { namespace: 'kube-system', name: 'mcprt-wipe' })) {
    problems.push(`${label}: the journal is left`);
  }
  for (const kind of [kinds.admissionPolicy, kinds.admissionPolicyBinding]) {
    if (await rig.cluster.get(kind, { name: 'mcprt-brake' })) problems.push(`${label}: the lock is left`);
  }
}

/** The backup that the wipe stood on is good: it verifies, restores, and setup then orders nothing. */
async function bringBack({ rig, before, problems }: Stage, label: string): Promise<void> {
  const verified = await rig.act('verify', { 'restore-key': rig.keys.restore });
  if (verified.code !== 0) problems.push(`${label}: the backup does not verify: ${tail(verified)}`);
  const restored = await rig.act('restore');
  if (restored.code !== 0) problems.push(`${label}: the restore failed: ${tail(restored)}`);
  await rig.install();
  await furnish(rig.cluster);
  if (JSON.stringify(await leaves(rig.cluster)) !== JSON.stringify(before)) {
    problems.push(`${label}: other certificates than before`);
  }
}

async function killEverywhere(
  context: ProofContext,
  stage: Stage,
  writes: readonly string[],
): Promise<{ kills: number; resumed: number; unreached: string[] }> {
  const { gate, problems } = stage;
  const points = writes.flatMap((_, index) => [
    { k: index + 1, when: 'before' as const },
    { k: index + 1, when: 'after' as const },
  ]);
  // In small, one wipe is killed again and again until it may finish: at last when a namespace is on its way out.
  const leaving = writes.findIndex((what) => /^DELETE \/api\/v1\/namespaces\/[^/]+$/.test(what));
  const chosen = context.small
    ? [points.filter((_, index) => [4, 13, 2 * leaving + 3].includes(index))]
    : points.map((one) => [one]);
  const unreached: string[] = [];
  let kills = 0;
  let resumed = 0;
  for (const attempts of chosen) {
    const label = attempts.map(({ when, k }) => `${when} ${k}`).join(', ');
    for (const [index, { k, when }] of attempts.entries()) {
      const killed = await killedAt(stage, k, when, String(index + 1));
      if (killed.signal === 'SIGKILL') kills += 1;
      else if (killed.code === 0) unreached.push(`${when} ${k}`);
      else problems.push(`${label}: the wipe failed by itself: ${tail(killed)}`);
    }
    gate.reset({});
    const again = await stage.wipe({}, String(attempts.length + 1));
    if (startOf(again) === 'resumed') resumed += 1;
    await wiped(stage, again, label);
    await bringBack(stage, label);
    context.progress(
      `  killed ${label} of ${writes.length} writes: ${startOf(again)}, ${problems.length === 0 ? 'finished' : 'PROBLEMS'}`,
    );
  }
  if (resumed === 0) problems.push('no rerun went on with the wipe before it');
  return { kills, resumed, unreached };
}

/** A wipe that is killed before or after its k-th write. */
async function killedAt(
  { gate, wipe }: Stage,
  k: number,
  when: 'before' | 'after',
  attempt: string,
): Promise<ActionRun> {
  let pid = 0;
  const strike = (): void => void process.kill(pid, 'SIGKILL');
  gate.reset(
    when === 'before'
      ? {
          beforeWrite(n) {
            if (n === k) strike();
            return n >= k ? 'drop' : undefined;
          },
        }
      : {
          afterWrite: (n) => {
            if (n === k) strike();
          },
        },
  );
  const killed = await wipe({}, attempt, (started) => {
    pid = started;
  });
  // The proxy may still be passing on what the dead process had sent.
  await sleep(50);
  return killed;
}

/** A namespace that does not go is explained down to the object and its finalizer, and a rerun finishes. */
async function heldByFinalizer(stage: Stage): Promise<string> {
  const { rig, gate, problems } = stage;
  const ref = { namespace: 'tools', name: 'held' };
  const held = objectOf(kinds.configMap, { metadata: { ...ref, finalizers: ['example.com/hold'] } });
  await rig.cluster.create(kinds.configMap, held);
  gate.reset({});
  const first = await stage.wipe({ timeout: '10s' });
  // There is a journal of an older wipe, and everything that it names is there.
  if (!first.log.includes('sealed generation')) problems.push('a whole cluster is not wiped on a fresh backup');
  const told = /tools: configmaps held waits for example\.com\/hold/.exec(first.log)?.[0] ?? '';
  if (first.error !== 'wipe-stuck' || told === '') problems.push(`a held namespace is told as: ${tail(first)}`);

  // While it is held, something makes a namespace anew that was wiped. On a busy machine the others take longer than the wipe.
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(200)) {
    if ((await rig.cluster.get(kinds.namespace, { name: 'mcp-servers' })) === undefined) break;
  }
  await rig.cluster.create(kinds.namespace, objectOf(kinds.namespace, { metadata: { name: 'mcp-servers' } }));
  const second = stage.wipe({}, '2');
  await sleep(1000);
  await rig.cluster.patch(kinds.configMap, ref, [{ op: 'remove', path: '/metadata/finalizers' }]);
  const done = await second;
  if (startOf(done) !== 'resumed') problems.push(`after the finalizer: ${startOf(done)}, not resumed`);
  await wiped(stage, done, 'after the finalizer');
  await bringBack(stage, 'after the finalizer');
  return told;
}

/** A wipe that was cut off goes on only on the backup that it began with, and only while that one holds everything. */
async function withoutProof(context: ProofContext, stage: Stage): Promise<{ proofLost: string; unsaved: string }> {
  const { rig, gate, problems } = stage;
  let pid = 0;
  gate.reset({
    afterWrite: (_, what) => {
      if (what.endsWith('/namespaces/mcp-runtime')) process.kill(pid, 'SIGKILL');
    },
    // Of all namespaces only this one goes, and only its Secret is gone.
    beforeWrite: (_, what) => (/^DELETE \/api\/v1\/namespaces\/(?!mcp-runtime$)/.test(what) ? 'drop' : undefined),
  });
  await stage.wipe({}, '1', (started) => {
    pid = started;
  });
  await sleep(50);
  gate.reset({});
  const lost = await stage.wipe({ directory: join(context.folder, 'empty') }, '2');
  const secret = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
  await rig.cluster.patch(kinds.secret, secret, [{ op: 'add', path: '/data/LATE', value: 'bGF0ZQ==' }]);
  const unsaved = await stage.wipe({}, '3');
  const deleted = gate.writes().filter((what) => what.startsWith('DELETE'));
  problems.push(...deleted.map((what) => `a wipe without a proof sent ${what}`));
  for (const [done, code] of [
    [lost, 'wipe-proof-lost'],
    [unsaved, 'wipe-unsaved'],
  ] as const) {
    if (done.error !== code) problems.push(`${done.error ?? 'no error'}, not ${code}: ${tail(done)}`);
  }
  // What the refusals advise: the cluster is made whole, and the journal of the cut-off wipe is then history.
  await bringBack(stage, 'after the refusals');
  return { proofLost: lost.error ?? '', unsaved: unsaved.error ?? '' };
}

function startOf({ outputs }: ActionRun): string {
  return (JSON.parse(outputs.result ?? '{}') as { start?: string }).start ?? 'failed';
}

function tail({ log }: ActionRun): string {
  return log
    .replace(/^::add-mask::.*$/gm, '')
    .trim()
    .split('\n')
    .slice(-5)
    .join(' | ')
    .slice(0, 900);
}
