import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { median, round1, sum } from './support/figures.js';
import { kubectlShell } from './support/kubectl.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import { askTooEarly } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

const roundTrip = 25;
/** In bytes: of all that is committed, and of what one action loads before its first request. */
const maximum = { all: 4_000_000, loaded: 1_000_000 } as const;

/** What the runbook's scripts read and write, object by object. */
const objects = [
  'secret/registry-tls -n registry',
  'secret/mcp-sentinel-platform-tls -n mcp-sentinel',
  'certificate/registry-cert -n registry',
  'certificate/mcp-sentinel-platform-tls -n mcp-sentinel',
  'clusterissuer/letsencrypt-prod',
  'configmap/mcp-sentinel-config -n mcp-sentinel',
  'secret/mcp-sentinel-secrets -n mcp-sentinel',
];

export const speed: Proof = {
  name: 'speed',
  claim: 'backup and restore against the runbook’s kubectl commands over a 25 ms round trip; start-up; bundle size',
  run: (context) => inWorld(context, ['gate', 'platform'], (world) => measure(context, world)),
};

interface Timed {
  seconds: number;
  requests: number;
}

async function measure(context: ProofContext, world: World<'gate'>) {
  const { gate } = world;
  const kubectl = await kubectlIn(context, world);
  const rounds = context.small ? 1 : 5;
  const timed = async (work: () => Promise<unknown>, delay = roundTrip): Promise<Timed> => {
    gate.reset({ delay });
    const started = performance.now();
    await work();
    return { seconds: (performance.now() - started) / 1000, requests: gate.requests() };
  };
  const act = async (operation: string): Promise<void> => {
    mustWork(operation, await world.backup(operation, { kubeconfig: gate.kubeconfig }));
  };
  const samples = {
    backup: [] as Timed[],
    plan: [] as Timed[],
    kubectlBackup: [] as Timed[],
    restore: [] as Timed[],
    restoreWithBrake: [] as Timed[],
    kubectlRestore: [] as Timed[],
  };
  /** The same without the round trip: what is left of the time is start and work. */
  const near = { backup: [] as Timed[], plan: [] as Timed[], restore: [] as Timed[] };
  for (let round = 0; round < rounds; round++) {
    samples.kubectlBackup.push(await timed(() => kubectl.backup()));
    for (const operation of ['backup', 'plan'] as const) {
      samples[operation].push(await timed(() => act(operation)));
      near[operation].push(await timed(() => act(operation), 0));
    }
    // Both put back what a wipe has taken; objects of cert-manager are there in neither case.
    await world.wipe();
    await kubectl.namespaces();
    samples.kubectlRestore.push(await timed(() => kubectl.restore()));
    await world.wipe();
    samples.restore.push(await timed(() => act('restore')));
    await world.wipe();
    near.restore.push(await timed(() => act('restore'), 0));
    await world.install();
    // Somebody asks before anything is written, so that the brake must be proven.
    await askTooEarly(world.cluster, () => world.wipe());
    samples.restoreWithBrake.push(await timed(() => act('restore')));
    await world.install();
  }
  const start = await startUp(context, world, rounds * 3);
  const bytes = await bundleBytes();
  const loaded = await loadedBytes();
  const ratio = (slow: Timed[], fast: Timed[]): number =>
    round1(median(slow.map((one) => one.seconds)) / median(fast.map((one) => one.seconds)));
  const secondsOf = (list: Timed[]): number => median(list.map((one) => one.seconds));
  const figures = {
    roundTripMs: roundTrip,
    rounds,
    backupRatio: ratio(samples.kubectlBackup, samples.backup),
    planRatio: ratio(samples.kubectlBackup, samples.plan),
    restoreRatio: ratio(samples.kubectlRestore, samples.restore),
    restoreWithBrakeRatio: ratio(samples.kubectlRestore, samples.restoreWithBrake),
    medianSeconds: Object.fromEntries(
      Object.entries(samples).map(([name, list]) => [name, Math.round(secondsOf(list) * 100) / 100]),
    ),
    // What each operation's time is made of: its start, what it does then, and round trips of which each waits for the one before.
    parts: Object.fromEntries(
      (['backup', 'plan', 'restore'] as const).map((name) => [
        name,
        {
          startSeconds: Math.round(start.firstSeconds * 100) / 100,
          workSeconds: Math.round((secondsOf(near[name]) - start.firstSeconds) * 100) / 100,
          dependentRoundTrips: Math.round(((secondsOf(samples[name]) - secondsOf(near[name])) * 1000) / roundTrip),
        },
      ]),
    ),
    requests: Object.fromEntries(
      Object.entries(samples).map(([name, list]) => [name, median(list.map((one) => one.requests))]),
    ),
    bareStartsToFirstRequest: { firstStepOfJob: round1(start.first), laterStep: round1(start.later) },
    bundleBytes: bytes,
    loadedBytes: loaded,
  };
  context.expect(figures.backupRatio > 1, 'a backup is not faster than kubectl');
  // A restore brakes, proves the brake, reads back and waits for cert-manager's caches: kubectl does none of it.
  context.expect(figures.restoreRatio > 0.5, 'a restore takes more than twice as long as kubectl');
  context.expect(bytes <= maximum.all, `the bundle has ${bytes} bytes, more than ${maximum.all}`);
  for (const [entry, size] of Object.entries(loaded)) {
    context.expect(size <= maximum.loaded, `${entry} loads ${size} bytes, more than ${maximum.loaded}`);
  }
  return figures;
}

/** The runbook's way: one kubectl after the other, through the same gate, with kubectl's own discovery cache kept. */
async function kubectlIn(
  context: ProofContext,
  { state, gate }: World<'gate'>,
): Promise<{ backup(): Promise<void>; restore(): Promise<void>; namespaces(): Promise<void> }> {
  const shell = await kubectlShell(context, state, gate);
  const strip = `sed -e '/^  uid:/d' -e '/^  resourceVersion:/d' -e '/^  creationTimestamp:/d' -e '/^  generation:/d' -e '/^  ownerReferences:/,/^    uid:/d' -e '/^status:/,$d'`;
  const keys = ['GOOGLE_CLIENT_ID', 'MCP_GOOGLE_CLIENT_ID', 'OIDC_ISSUER', 'OIDC_AUDIENCE', 'OIDC_JWKS_URL'];
  const config = 'kubectl get configmap mcp-sentinel-config -n mcp-sentinel -o';
  const reads = [
    'kubectl get nodes',
    ...objects.map((object, index) => `kubectl get ${object} -o yaml | ${strip} > ${index}.yaml`),
    ...keys.map((key) => `${config} jsonpath='{.data.${key}}'`),
  ];
  const writes = objects.map(
    (_, index) =>
      `kubectl create --dry-run=client -f ${index}.yaml -o json | kubectl apply --server-side --force-conflicts -f -`,
  );
  return {
    backup: () => shell(reads.join('\n')),
    restore: () => shell(['kubectl get nodes', ...writes].join('\n')),
    namespaces: () => shell('kubectl create namespace registry\nkubectl create namespace mcp-sentinel'),
  };
}

/**
 * Process start to first request, as a multiple of a Node process that does nothing; medians. The first step of a job
 * that uses mcprt compiles the bundle, and later ones find it compiled in the job's RUNNER_TEMP.
 */
async function startUp(
  context: ProofContext,
  { gate, backup }: World<'gate'>,
  rounds: number,
): Promise<Record<StepOfJob, number> & { firstSeconds: number }> {
  const job = join(context.folder, 'job');
  await mkdir(job);
  const bare: number[] = [];
  const first: Record<StepOfJob, number[]> = { first: [], later: [] };
  const toFirstRequest = async (env: Record<string, string>): Promise<number> => {
    gate.reset({});
    const from = performance.now();
    await backup('verify', { kubeconfig: gate.kubeconfig }, env);
    return (gate.firstRequestAt() ?? Number.POSITIVE_INFINITY) - from;
  };
  await toFirstRequest({ RUNNER_TEMP: job });
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await new Promise((resolve) => spawn(process.execPath, ['-e', '0']).once('close', resolve));
    bare.push(performance.now() - started);
    first.first.push(await toFirstRequest({}));
    first.later.push(await toFirstRequest({ RUNNER_TEMP: job }));
  }
  return {
    first: median(first.first) / median(bare),
    later: median(first.later) / median(bare),
    firstSeconds: median(first.first) / 1000,
  };
}

type StepOfJob = 'first' | 'later';

async function bundleBytes(): Promise<number> {
  const folder = join(root, 'dist');
  const sizes = await Promise.all((await readdir(folder)).map(async (name) => (await stat(join(folder, name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** What each action loads before it does anything: its entry, and the parts that it imports. */
async function loadedBytes(): Promise<Record<string, number>> {
  const folder = join(root, 'dist');
  const reach = async (name: string, seen: Map<string, number>): Promise<Map<string, number>> => {
    if (seen.has(name)) return seen;
    const text = await readFile(join(folder, name), 'utf8');
    seen.set(name, Buffer.byteLength(text));
    for (const [, next = ''] of text.matchAll(/(?:from|import)\s*"\.\/([^"]+)"/g)) await reach(next, seen);
    return seen;
  };
  const entries = (await readdir(folder)).filter((name) => name.startsWith('main-'));
  const sizes = entries.map(async (name) => [name, sum([...(await reach(name, new Map())).values()])] as const);
  return Object.fromEntries(await Promise.all(sizes));
}
