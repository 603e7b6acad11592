import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from '../lab/driver/meter.js';
import { waitForCertificates } from '../lab/platform/install.js';
import type { Certificate } from '../shared/certificates/model.js';
import { type Kind, type KubeObject, kinds } from '../shared/cluster/objects.js';
import { messageOf } from '../shared/errors.js';
import { type Gate, openGate } from './gate.js';
import { type Leaf, leaves } from './leaves.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { makeRig, type Rig, rigCertificateCount, tlsSecrets } from './rig.js';

export const kill: Proof = {
  name: 'kill',
  claim:
    'SIGKILL of the restore before and after every API write, and a cancel after each: one rerun gives the same end state, 0 orders, no brake left; a cancelled one says whether the brake is on',
  async run(context) {
    const rig = await makeRig(context);
    await rig.install();
    const backup = await rig.act('backup');
    if (backup.code !== 0) return { ok: false, figures: {}, problems: [backup.log] };
    const [secrets, before, intents] = [await restoredSecrets(rig), await leaves(rig.cluster), await readIntents(rig)];
    const gate = await openGate(rig.state);
    try {
      return await strikeEverywhere(context, rig, gate, { secrets, before, intents });
    } finally {
      await gate.close();
      await rig.close();
    }
  },
};

interface Wanted {
  secrets: Map<string, string>;
  before: Leaf[];
  intents: Intents;
}

async function strikeEverywhere(
  context: ProofContext,
  rig: Rig,
  gate: Gate,
  { secrets, before, intents }: Wanted,
): Promise<Proven> {
  const problems: string[] = [];
  const counted = await rig.meter();
  let takenOver = 0;
  const unreached: string[] = [];
  const restore = (onStart?: (pid: number) => void, attempt = '1') =>
    rig.act('restore', { kubeconfig: gate.kubeconfig }, { GITHUB_RUN_ATTEMPT: attempt }, onStart);
  const check = async (label: string): Promise<void> => {
    const now = await restoredSecrets(rig);
    if (JSON.stringify([...now]) !== JSON.stringify([...secrets])) problems.push(`${label}: other Secrets than before`);
    for (const kind of [kinds.admissionPolicy, kinds.admissionPolicyBinding]) {
      if (await rig.cluster.get(kind, { name: 'mcprt-brake' })) problems.push(`${label}: the brake is still on`);
    }
    const left = await rig.cluster.list(kinds.certificate);
    if (left.items.some(({ metadata }) => metadata.name.startsWith('mcprt-barrier')))
      problems.push(`${label}: a canary is left`);
    await bringBack(rig, intents).catch((error: unknown) => problems.push(`${label}: ${messageOf(error)}`));
    if (JSON.stringify(await leaves(rig.cluster)) !== JSON.stringify(before))
      problems.push(`${label}: other certificates than before`);
  };

  await rig.wipe();
  gate.reset({});
  const whole = await restore();
  if (whole.code !== 0) return { ok: false, figures: {}, problems: [`the undisturbed restore failed: ${whole.log}`] };
  const writes = [...gate.writes()];
  await check('undisturbed');

  const points = writes.flatMap((_, index) => [
    { k: index + 1, when: 'before' as const },
    { k: index + 1, when: 'after' as const },
  ]);
  const chosen = context.small ? points.filter((_, index) => index % Math.ceil(points.length / 6) === 0) : points;
  for (const { k, when } of chosen) {
    await rig.wipe();
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
    const killed = await restore((started) => {
      pid = started;
    });
    if (killed.signal !== 'SIGKILL') {
      // The last sweep deletes what cert-manager has made for the canary by then: some runs have a write less.
      if (killed.code === 0) unreached.push(`${when} ${k}`);
      else problems.push(`write ${k} ${when}: the restore failed by itself (${killed.code})`);
      continue;
    }
    // The proxy may still be passing on what the dead process had sent.
    await sleep(50);
    gate.reset({});
    const again = await restore(undefined, '2');
    if (again.code !== 0) problems.push(`write ${k} ${when} (${writes[k - 1]}): the rerun failed: ${again.log}`);
    if (again.log.includes('taken over')) takenOver += 1;
    await check(`write ${k} ${when}`);
    context.progress(
      `  killed ${when} write ${k} of ${writes.length} (${writes[k - 1]}): ${problems.length === 0 ? 'same end state' : 'PROBLEMS'}`,
    );
  }
  const cancelled = await cancelEverywhere({ context, rig, gate, writes, restore, check }, problems);
  const { orders, issued } = difference(counted, await rig.meter());
  if (orders !== 0 || issued !== 0) problems.push(`${orders} orders, ${issued} issuances`);
  return {
    ok: problems.length === 0 && unreached.length <= 4 && chosen.length - unreached.length > 4 && takenOver > 0,
    figures: {
      writes: writes.length,
      kills: chosen.length - unreached.length,
      unreached,
      brakesTakenOver: takenOver,
      cancelled,
      orders,
      issued,
    },
    problems,
  };
}

interface Cancelling {
  context: ProofContext;
  rig: Rig;
  gate: Gate;
  writes: readonly string[];
  restore(onStart?: (pid: number) => void, attempt?: string): ReturnType<Rig['act']>;
  check(label: string): Promise<void>;
}

/** Cancels a restore after each of its writes, so in each of its waits, and holds its report against the cluster. */
async function cancelEverywhere(
  { context, rig, gate, writes, restore, check }: Cancelling,
  problems: string[],
): Promise<number> {
  const step = context.small ? Math.ceil(writes.length / 4) : 1;
  let reports = 0;
  for (let k = 1; k <= writes.length; k += step) {
    await rig.wipe();
    let pid = 0;
    gate.reset({
      afterWrite: (n) => {
        if (n === k) process.kill(pid, 'SIGINT');
      },
    });
    const run = await restore((started) => {
      pid = started;
    });
    gate.reset({});
    const label = `cancelled after write ${k} (${writes[k - 1]})`;
    const isOn = (await rig.cluster.get(kinds.admissionPolicyBinding, { name: 'mcprt-brake' })) !== undefined;
    // The last writes take the brake off: what is cancelled then may as well be done.
    if (run.code !== 0) {
      reports += 1;
      if (run.error !== 'job-cancelled' || !run.summary.includes('job-cancelled'))
        problems.push(`${label}: ended with ${run.error ?? run.signal} and no report of it`);
      if (isOn !== run.summary.includes('the brake is still on'))
        problems.push(`${label}: the brake is ${isOn ? 'on' : 'off'}, and the summary says otherwise`);
    }
    const again = await restore(undefined, '2');
    if (again.code !== 0) problems.push(`${label}: the rerun failed: ${again.log}`);
    await check(label);
    context.progress(
      `  ${label}: ${run.code === 0 ? 'it was done' : isOn ? 'told, the brake on' : 'told, the brake off'}`,
    );
  }
  return reports;
}

/** TLS Secrets without the canaries and the churn of others. */
async function restoredSecrets(rig: Rig): Promise<Map<string, string>> {
  const all = await tlsSecrets(rig.cluster);
  return new Map([...all].sort(([a], [b]) => a.localeCompare(b)));
}

type Intents = [Kind, KubeObject[]][];

/** What setup would apply again: explicit Certificates, and Ingresses for the shim's. */
async function readIntents(rig: Rig): Promise<Intents> {
  const certificates = await rig.cluster.list<KubeObject & Certificate>(kinds.certificate);
  const ingresses = await rig.cluster.list(kinds.ingress);
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

async function bringBack(rig: Rig, intents: Intents): Promise<void> {
  for (const [kind, objects] of intents) {
    await Promise.all(
      objects.map((object) => rig.cluster.apply(kind, object, { force: true, manager: 'mcp-runtime' })),
    );
  }
  await waitForCertificates(rig.cluster, rigCertificateCount).catch(async (error: unknown) => {
    const { items } = await rig.cluster.list<KubeObject & Certificate>(kinds.certificate);
    const states = items.map(
      ({ metadata, status }) => `${metadata.namespace}/${metadata.name}: ${JSON.stringify(status?.conditions)}`,
    );
    throw new Error(`${messageOf(error)}\n${states.join('\n')}`);
  });
}
