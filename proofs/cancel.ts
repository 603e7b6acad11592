import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { difference } from '../lab/driver/meter.js';
import { kinds } from '../shared/cluster/objects.js';
import { registryAuth } from '../shared/platform/registry-auth.js';
import { withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { appNamespaces } from './rig.js';
import { makeStage, type Stage } from './stage.js';

/** What the runner gives a step after SIGINT before it sends SIGTERM (actions/runner, ProcessInvoker). */
const graceSeconds = 7.5;
const momentDeadline = 60_000;

/** A moment of an installation, told by what the cluster shows or the action has printed. */
interface Moment {
  name: string;
  isNow(stage: Stage, printed: string): Promise<boolean>;
}

interface Stopped {
  moment: string;
  signal: 'SIGINT' | 'SIGKILL';
  /** From the signal to the end of the action's process. */
  seconds: number;
  openAfterMain: boolean;
  openAfterPost: boolean;
  leftRunning: number;
}

export const cancel: Proof = {
  name: 'cancel',
  claim:
    'a cancelled setup: the installer is gone within the runner’s grace, the registry is not left open, the next run finishes without a further order',
  async run(context) {
    const stage = await makeStage(context, context.folder, { pushMilliseconds: 700 });
    try {
      return await stopEverywhere(context, stage);
    } finally {
      await stage.close();
    }
  },
};

const isOpen = async ({ rig }: Stage): Promise<boolean> => {
  const ingress = await rig.cluster.get(kinds.ingress, { namespace: registryAuth.namespace, name: registryAuth.name });
  return ingress !== undefined && ingress.metadata.annotations?.[registryAuth.annotation] === undefined;
};

const moments: readonly Moment[] = [
  {
    name: 'while images are pushed and the registry is open',
    async isNow(stage) {
      const { items } = await stage.rig.cluster.list(kinds.pod, { namespace: 'registry' });
      return (await isOpen(stage)) && items.some(({ metadata }) => metadata.name.startsWith('registry-pusher-'));
    },
  },
  {
    name: 'while workloads are deployed',
    async isNow(stage) {
      const found = await stage.rig.cluster.get(kinds.deployment, {
        namespace: 'mcp-sentinel',
        name: 'mcp-platform-api',
      });
      return (await isOpen(stage)) && found !== undefined;
    },
  },
  // Before its first word the process follows no signal, and has done nothing.
  { name: 'right after the start', isNow: async (_, printed) => printed !== '' },
];

async function stopEverywhere(context: ProofContext, stage: Stage): Promise<Proven> {
  const { rig } = stage;
  const problems: string[] = [];
  const stops: Stopped[] = [];
  const first = await rig.meter();
  const stopTimes: string[] = [];
  for (const [index, moment] of moments.entries()) {
    for (const signal of context.small && index > 0 ? (['SIGINT'] as const) : (['SIGINT', 'SIGKILL'] as const)) {
      const stopped = await stopAt(stage, moment, signal, problems);
      stops.push(stopped);
      stopTimes.push(`${new Date().toISOString()}: ${signal} ${moment.name}`);
      context.progress(`  ${signal} ${moment.name}: gone after ${stopped.seconds.toFixed(1)} s`);
      // Each moment is reached on a platform that has to be installed, with its certificates in place.
      if (index < moments.length - 1) await rig.wipe(withoutCertificates);
    }
  }
  const rerun = await stage.setup();
  if (rerun.code !== 0) problems.push(`the run after all of them failed: ${withoutMasks(rerun.log)}`);
  const last = await rig.meter();
  const { orders, issued } = difference(first, last);
  if (orders !== 2 || issued !== 2) {
    const told = last.orders.map(({ names, at, issued: end }) => `${at}: ${names.join(' ')}, issued ${end ?? 'never'}`);
    problems.push(
      [`${orders} orders and ${issued} issuances instead of 2 for the first install`, ...told, ...stopTimes].join('\n'),
    );
  }
  const wire = await stage.onTheWire();
  if (Object.values(wire).some((serial) => serial === '')) problems.push(`not served: ${JSON.stringify(wire)}`);
  return {
    ok: problems.length === 0,
    figures: {
      stops: stops.length,
      slowestSeconds: round(Math.max(...stops.filter(({ signal }) => signal === 'SIGINT').map((one) => one.seconds))),
      graceSeconds,
      openAfterPost: stops.filter(({ openAfterPost }) => openAfterPost).length,
      leftRunning: stops.reduce((sum, { leftRunning }) => sum + leftRunning, 0),
      orders,
      moments: stops.map(({ moment, signal, seconds, openAfterMain }) => ({
        moment,
        signal,
        seconds: round(seconds),
        openAfterMain,
      })),
    },
    problems,
  };
}

/** mcp-sentinel and the operator's: the registry keeps its namespace, and with it its certificate. */
const withoutCertificates = appNamespaces.filter((name) => name === 'mcp-runtime' || name === 'mcp-servers');

async function stopAt(
  stage: Stage,
  moment: Moment,
  signal: 'SIGINT' | 'SIGKILL',
  problems: string[],
): Promise<Stopped> {
  const fail = (what: string): void => void problems.push(`${signal} ${moment.name}: ${what}`);
  let [pid, printed] = [0, () => ''];
  const started = performance.now();
  const running = stage.setup({}, { RUNNER_TRACKING_ID: trackingId }, (id, soFar) => {
    [pid, printed] = [id, soFar];
  });
  const isOver = running.then(() => true);
  while (!(await moment.isNow(stage, printed()))) {
    if (performance.now() - started > momentDeadline || (await Promise.race([isOver, sleep(20, false)]))) {
      fail(`this moment never came: ${withoutMasks((await running).log)}`);
      return { moment: moment.name, signal, seconds: 0, openAfterMain: false, openAfterPost: false, leftRunning: 0 };
    }
  }
  const sent = performance.now();
  process.kill(pid, signal);
  const run = await running;
  const seconds = (performance.now() - sent) / 1000;
  const openAfterMain = await isOpen(stage);
  if (signal === 'SIGINT') {
    if (seconds > graceSeconds) fail(`it took ${seconds.toFixed(1)} s`);
    if (run.error !== 'job-cancelled') fail(`it ended with ${run.error}: ${withoutMasks(run.log)}`);
    if (openAfterMain) fail('the registry was open when the action ended');
  } else {
    // After a killed step the runner ends what carries its tracking id.
    for (const left of await tracked()) process.kill(left, 'SIGKILL');
  }
  const leftRunning = await leftAfter(2_000);
  if (leftRunning > 0) fail(`${leftRunning} processes of the installer are left`);
  const post = await stage.post();
  if (post.code !== 0) fail(`the post step failed: ${withoutMasks(post.log)}`);
  const openAfterPost = await isOpen(stage);
  if (openAfterPost) fail('the registry is open after the post step');
  const { items } = await stage.rig.cluster.list(kinds.pod, { namespace: 'registry' });
  const pushers = items.filter(
    ({ metadata }) => metadata.name.startsWith('registry-pusher-') && metadata.deletionTimestamp === undefined,
  );
  if (pushers.length > 0) fail('a pod that pushes images is left');
  const archives = (await readdir(stage.source)).filter((name) => name.endsWith('.tar'));
  if (archives.length > 0) fail(`left in the source: ${archives.join(', ')}`);
  return { moment: moment.name, signal, seconds, openAfterMain, openAfterPost, leftRunning };
}

function round(seconds: number): number {
  return Math.round(seconds * 10) / 10;
}

const trackingId = `proof-cancel-${process.pid}`;

/** How many processes of the installer are still there; one that was killed takes a moment to go. */
async function leftAfter(milliseconds: number): Promise<number> {
  for (const end = Date.now() + milliseconds; ; ) {
    const { length } = await tracked();
    if (length === 0 || Date.now() > end) return length;
    await sleep(50);
  }
}

/** Processes that carry this proof's tracking id, as the runner looks for orphans (Linux). */
async function tracked(): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const found = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(join('/proc', id, 'environ'), 'utf8').catch(() => '');
      const state = await readFile(join('/proc', id, 'stat'), 'utf8').catch(() => '');
      return environment.includes(`RUNNER_TRACKING_ID=${trackingId}`) && !/^\d+ \(.*\) Z/.test(state)
        ? [Number(id)]
        : [];
    }),
  );
  return found.flat();
}
