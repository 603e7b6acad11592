import type { ActionRun } from '../lab/driver/action.js';
import { waitForCertificates } from '../lab/platform/install.js';
import type { Certificate } from '../shared/certificates/model.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import { messageOf } from '../shared/errors.js';
import { brakeOf } from './support/brake.js';
import { momentsOf, struckAt } from './support/kills.js';
import { type Leaf, leaves } from './support/leaves.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import type { OnStart } from './world/actions.js';
import { certificateCount, tlsSecrets } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

export const kill: Proof = {
  name: 'kill',
  claim:
    'SIGKILL of the restore before and after every API write, and a cancel after each: one rerun gives the same end state, 0 orders, no brake left; a cancelled one says whether the brake is on',
  run: (context) =>
    inWorld(context, ['gate', 'platform'], async (world) => {
      mustWork('the backup', await world.backup('backup'));
      const { result, orders, issued } = await world.counting(() => strikeEverywhere(context, world));
      context.expect(orders === 0 && issued === 0, `${orders} orders, ${issued} issuances`);
      return { ...result, orders, issued };
    }),
  inTable: ({ kills, cancelled, orders }) => `${kills} kills, ${cancelled} cancels: ${orders} orders`,
};

type Kills = World<'gate'>;

async function strikeEverywhere(context: ProofContext, world: Kills) {
  const wanted = {
    secrets: await tlsSecrets(world.cluster),
    before: await leaves(world.cluster),
    intents: await readIntents(world),
  };
  const check = (label: string): Promise<void> => requireEndState(context.about(label), world, wanted);
  const { gate } = world;
  await world.wipe();
  gate.reset({});
  mustWork('the undisturbed restore', await restore(world));
  const writes = [...gate.writes()];
  await check('undisturbed');

  let takenOver = 0;
  const unreached: string[] = [];
  const chosen = momentsOf(writes.length, context.small ? 6 : undefined);
  for (const moment of chosen) {
    const { k, when } = moment;
    const label = `write ${k} ${when} (${writes[k - 1]})`;
    await world.wipe();
    const killed = await struckAt(gate, moment, (onStart) => restore(world, '1', onStart));
    if (killed.signal !== 'SIGKILL') {
      // The last sweep deletes what cert-manager has made for the canary by then: some runs have a write less.
      if (killed.code === 0) unreached.push(`${when} ${k}`);
      else context.fail(`${label}: the restore failed by itself`, killed);
      continue;
    }
    const again = await restore(world, '2');
    context.expectDone(`${label}: the rerun`, again);
    if (again.log.includes('taken over')) takenOver += 1;
    await check(label);
    context.progress(
      `  killed ${label} of ${writes.length}: ${context.problems.length === 0 ? 'same end state' : 'PROBLEMS'}`,
    );
  }
  const cancelled = await cancelEverywhere(context, world, writes, check);
  const kills = chosen.length - unreached.length;
  context.expect(unreached.length <= 4 && kills > 4, `${kills} kills, and ${unreached.join(', ')} were not reached`);
  context.expect(takenOver > 0, 'no rerun has taken a brake over');
  return { writes: writes.length, kills, unreached, brakesTakenOver: takenOver, cancelled };
}

function restore({ gate, backup }: Kills, attempt = '1', onStart?: OnStart): Promise<ActionRun> {
  return backup('restore', { kubeconfig: gate.kubeconfig }, { GITHUB_RUN_ATTEMPT: attempt }, onStart);
}

interface Wanted {
  secrets: [string, string][];
  before: Leaf[];
  intents: Intents;
}

/** The cluster is as before: Secrets, no brake, no canary, and the same certificates once setup has run. */
async function requireEndState(
  { expect, expectSame, fail }: Pick<ProofContext, 'expect' | 'expectSame' | 'fail'>,
  { cluster }: World,
  { secrets, before, intents }: Wanted,
): Promise<void> {
  expect(JSON.stringify(await tlsSecrets(cluster)) === JSON.stringify(secrets), 'other Secrets than before');
  expect((await brakeOf(cluster)).length === 0, 'the brake is still on');
  const left = await cluster.list(kinds.certificate);
  expect(!left.items.some(({ metadata }) => metadata.name.startsWith('mcprt-barrier')), 'a canary is left');
  await bringBack(cluster, intents).catch((error: unknown) => fail(messageOf(error)));
  expectSame('other certificates than before', await leaves(cluster), before);
}

/** Cancels a restore after each of its writes, so in each of its waits, and holds its report against the cluster. */
async function cancelEverywhere(
  context: ProofContext,
  world: Kills,
  writes: readonly string[],
  check: (label: string) => Promise<void>,
): Promise<number> {
  const step = context.small ? Math.ceil(writes.length / 4) : 1;
  let reports = 0;
  for (let k = 1; k <= writes.length; k += step) {
    const label = `cancelled after write ${k} (${writes[k - 1]})`;
    await world.wipe();
    const run = await struckAt(world.gate, { k, when: 'after' }, (onStart) => restore(world, '1', onStart), 'SIGINT');
    const isOn = (await brakeOf(world.cluster)).includes('ValidatingAdmissionPolicyBinding');
    // The last writes take the brake off: what is cancelled then may as well be done.
    if (run.code !== 0) {
      reports += 1;
      const isTold = run.error === 'job-cancelled' && run.summary.includes('job-cancelled');
      context.expect(isTold, `${label}: ended with ${run.error ?? run.signal} and no report of it`);
      const saysOn = run.summary.includes('the brake is still on');
      context.expect(isOn === saysOn, `${label}: the brake is ${isOn ? 'on' : 'off'}, and the summary says otherwise`);
    }
    context.expectDone(`${label}: the rerun`, await restore(world, '2'));
    await check(label);
    context.progress(
      `  ${label}: ${run.code === 0 ? 'it was done' : isOn ? 'told, the brake on' : 'told, the brake off'}`,
    );
  }
  return reports;
}

type Intents = [Kind, KubeObject[]][];

/** What setup would apply again: explicit Certificates, and Ingresses for the shim's. */
async function readIntents({ cluster }: World): Promise<Intents> {
  const certificates = await cluster.list<KubeObject & Certificate>(kinds.certificate);
  const ingresses = await cluster.list(kinds.ingress);
  const explicit = certificates.items.filter(
    ({ metadata }) => !metadata.ownerReferences?.some(({ kind }) => kind === 'Ingress'),
  );
  const plain = ({ apiVersion, kind, metadata, spec }: KubeObject): KubeObject => {
    const { name, namespace = '', labels = {}, annotations = {} } = metadata;
    return { apiVersion, kind, metadata: { name, namespace, labels, annotations }, spec };
  };
  return [
    [kinds.certificate, explicit.map(plain)],
    [kinds.ingress, ingresses.items.map(plain)],
  ];
}

async function bringBack(cluster: World['cluster'], intents: Intents): Promise<void> {
  for (const [kind, objects] of intents) {
    await Promise.all(objects.map((object) => cluster.apply(kind, object, { force: true, manager: 'mcp-runtime' })));
  }
  await waitForCertificates(cluster, certificateCount).catch(async (error: unknown) => {
    const { items } = await cluster.list<KubeObject & Certificate>(kinds.certificate);
    const states = items.map(
      ({ metadata, status }) => `${metadata.namespace}/${metadata.name}: ${JSON.stringify(status?.conditions)}`,
    );
    throw new Error(`${messageOf(error)}\n${states.join('\n')}`);
  });
}
