import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { found } from '../lab/driver/until.js';
import { kinds } from '../shared/cluster/objects.js';
import { registryAuth } from '../shared/platform/registry-auth.js';
import { round1, sum } from './support/figures.js';
import type { Proof, ProofContext } from './support/proof.js';
import { inWorld, type World as WorldOf } from './world/world.js';

type World = WorldOf<'front' | 'source' | 'installer'>;
type Signal = 'SIGINT' | 'SIGKILL';

/** What the runner gives a step after SIGINT before it sends SIGTERM (actions/runner, ProcessInvoker). */
const graceSeconds = 7.5;
const momentDeadline = 60_000;

/** A moment of an installation, told by what the cluster shows or the action has printed. */
interface Moment {
  name: string;
  isNow(world: World, printed: string): Promise<boolean>;
}

interface Stopped {
  moment: string;
  signal: Signal;
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
  run: (context) =>
    inWorld(context, ['front', 'source', 'installer'], (world) => stopEverywhere(context, world), {
      pushMilliseconds: 700,
    }),
};

const isOpen = async ({ cluster }: World): Promise<boolean> => {
  const ingress = await cluster.get(kinds.ingress, { namespace: registryAuth.namespace, name: registryAuth.name });
  return ingress !== undefined && ingress.metadata.annotations?.[registryAuth.annotation] === undefined;
};

/** The pods that push images and are not on their way out. */
async function pushers({ cluster }: World): Promise<string[]> {
  const { items } = await cluster.list(kinds.pod, { namespace: 'registry' });
  return items.flatMap(({ metadata: { name, deletionTimestamp } }) =>
    name.startsWith('registry-pusher-') && deletionTimestamp === undefined ? [name] : [],
  );
}

const moments: readonly Moment[] = [
  {
    name: 'while images are pushed and the registry is open',
    isNow: async (world) => (await isOpen(world)) && (await pushers(world)).length > 0,
  },
  {
    name: 'while workloads are deployed',
    async isNow(world) {
      const ref = { namespace: 'mcp-sentinel', name: 'mcp-platform-api' };
      return (await isOpen(world)) && (await world.cluster.get(kinds.deployment, ref)) !== undefined;
    },
  },
  // Before its first word the process follows no signal, and has done nothing.
  { name: 'right after the start', isNow: async (_, printed) => printed !== '' },
];

/** mcp-sentinel and the operator's: the registry keeps its namespace, and with it its certificate. */
const withoutCertificates = ['mcp-runtime', 'mcp-servers'];

async function stopEverywhere(context: ProofContext, world: World) {
  const stops: Stopped[] = [];
  const stopTimes: string[] = [];
  const { orders, issued } = await world.counting(async () => {
    for (const [index, moment] of moments.entries()) {
      const signals: readonly Signal[] = context.small && index > 0 ? ['SIGINT'] : ['SIGINT', 'SIGKILL'];
      for (const signal of signals) {
        const stopped = await stopAt(context, world, moment, signal);
        stops.push(stopped);
        stopTimes.push(`${new Date().toISOString()}: ${signal} ${moment.name}`);
        context.progress(`  ${signal} ${moment.name}: gone after ${stopped.seconds} s`);
        // Each moment is reached on a platform that has to be installed, with its certificates in place.
        if (index < moments.length - 1) await world.wipe(withoutCertificates);
      }
    }
    context.expectDone('the run after all of them', await world.setup());
  });
  if (orders !== 2 || issued !== 2) {
    const told = (await world.meter()).orders.map(
      ({ names, at, issued: end }) => `${at}: ${names.join(' ')}, issued ${end ?? 'never'}`,
    );
    const what = `${orders} orders and ${issued} issuances instead of 2 for the first install`;
    context.fail([what, ...told, ...stopTimes].join('\n'));
  }
  const wire = await world.front.onTheWire();
  context.expect(!Object.values(wire).includes(''), `not served: ${JSON.stringify(wire)}`);
  return {
    stops: stops.length,
    slowestSeconds: Math.max(...stops.filter(({ signal }) => signal === 'SIGINT').map((one) => one.seconds)),
    graceSeconds,
    openAfterPost: stops.filter(({ openAfterPost }) => openAfterPost).length,
    leftRunning: sum(stops.map(({ leftRunning }) => leftRunning)),
    orders,
    moments: stops.map(({ moment, signal, seconds, openAfterMain }) => ({ moment, signal, seconds, openAfterMain })),
  };
}

async function stopAt(context: ProofContext, world: World, moment: Moment, signal: Signal): Promise<Stopped> {
  const { expect, expectDone, expectRefused, fail } = context.about(`${signal} ${moment.name}`);
  let [pid, printed] = [0, () => ''];
  const started = performance.now();
  const running = world.setup({}, { RUNNER_TRACKING_ID: trackingId }, (id, soFar) => {
    [pid, printed] = [id, soFar];
  });
  const isOver = running.then(() => true);
  while (!(await moment.isNow(world, printed()))) {
    if (performance.now() - started > momentDeadline || (await Promise.race([isOver, sleep(20, false)]))) {
      fail('this moment never came', await running);
      return { moment: moment.name, signal, seconds: 0, openAfterMain: false, openAfterPost: false, leftRunning: 0 };
    }
  }
  const sent = performance.now();
  process.kill(pid, signal);
  const run = await running;
  const seconds = (performance.now() - sent) / 1000;
  const openAfterMain = await isOpen(world);
  if (signal === 'SIGINT') {
    expect(seconds <= graceSeconds, `it took ${seconds} s`);
    expectRefused('the run', 'job-cancelled', run);
    expect(!openAfterMain, 'the registry was open when the action ended');
  } else {
    // After a killed step the runner ends what carries its tracking id.
    for (const left of await tracked()) process.kill(left, 'SIGKILL');
  }
  // One that was killed takes a moment to go.
  await found(async () => (await tracked()).length === 0, { seconds: 2, every: 50 });
  const leftRunning = (await tracked()).length;
  expect(leftRunning === 0, `${leftRunning} processes of the installer are left`);
  expectDone('the post step', await world.run('setup-post', {}, { STATE_started: 'yes' }));
  const openAfterPost = await isOpen(world);
  expect(!openAfterPost, 'the registry is open after the post step');
  expect((await pushers(world)).length === 0, 'a pod that pushes images is left');
  const archives = (await readdir(world.source)).filter((name) => name.endsWith('.tar'));
  expect(archives.length === 0, `left in the source: ${archives.join(', ')}`);
  return { moment: moment.name, signal, seconds: round1(seconds), openAfterMain, openAfterPost, leftRunning };
}

const trackingId = `proof-cancel-${process.pid}`;

/** Processes that carry this proof's tracking id, as the runner looks for orphans (Linux). */
async function tracked(): Promise<number[]> {
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const all = await Promise.all(
    ids.map(async (id) => {
      const environment = await readFile(join('/proc', id, 'environ'), 'utf8').catch(() => '');
      const state = await readFile(join('/proc', id, 'stat'), 'utf8').catch(() => '');
      return environment.includes(`RUNNER_TRACKING_ID=${trackingId}`) && !/^\d+ \(.*\) Z/.test(state)
        ? [Number(id)]
        : [];
    }),
  );
  return all.flat();
}
