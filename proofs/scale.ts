import { readFile } from 'node:fs/promises';
import type { ActionRun } from '../lab/driver/action.js';
import { round1 } from './support/figures.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import type { OnStart } from './world/actions.js';
import { makeTenants } from './world/tenants.js';
import { inWorld, type World } from './world/world.js';

/** Of one process, in MiB: what a runner of the smallest size has beside everything else. */
const mostMemory = 512;
/** How much more than in proportion a step may take: the cluster's own share grows as well, and nothing is quadratic by then. */
const slack = 1.5;
/** A step shorter than this says nothing about its growth, in s. */
const tellingSeconds = 3;

/** What one step came to. */
interface Step {
  seconds: number;
  requests: number;
  /** The most that the process has held, in MiB. */
  memory: number;
}

interface Size {
  tenants: number;
  steps: Record<string, Step>;
}

export const scale: Proof = {
  name: 'scale',
  claim:
    '200, 1,000 and 5,000 tenants: backup, verify, plan, restore, plan of a rollout and wipe; time, requests and memory, in proportion',
  async run(context) {
    const { only } = context.flags;
    const chosen = typeof only === 'string' ? only.split(',').map(Number) : [200, 1_000, 5_000];
    const sizes: Size[] = [];
    for (const tenants of context.small ? [10, 40] : chosen) {
      sizes.push(
        await inWorld(context, ['services', 'front', 'source', 'gate'], (world) => measure(context, world, tenants), {
          folder: `${context.folder}/${tenants}`,
        }),
      );
    }
    for (const [index, larger] of sizes.entries()) compare(context, sizes[index - 1], larger);
    return { sizes };
  },
};

async function measure(
  context: ProofContext,
  world: World<'services' | 'front' | 'gate'>,
  tenants: number,
): Promise<Size> {
  const { gate } = world;
  const images = await world.services.pushAll();
  await makeTenants(world.cluster, tenants);
  context.progress(`  ${tenants} tenants made`);
  const steps: Record<string, Step> = {};
  const step = async (name: string, run: (onStart: OnStart) => Promise<ActionRun>): Promise<void> => {
    gate.reset({});
    const memory = watchMemory();
    const { seconds } = mustWork(name, await run(memory.onStart));
    steps[name] = { seconds: round1(seconds), requests: gate.requests(), memory: memory.most() };
    context.progress(`  ${tenants} tenants, ${name}: ${JSON.stringify(steps[name])}`);
  };
  const { kubeconfig } = gate;
  for (const operation of ['backup', 'verify', 'plan', 'restore']) {
    await step(operation, (onStart) => world.backup(operation, { kubeconfig }, {}, onStart));
  }
  await step('plan of a rollout', (onStart) => world.rollout({ images, kubeconfig, operation: 'plan' }, {}, onStart));
  await step('wipe', (onStart) =>
    world.backup('wipe', { kubeconfig, confirm: world.domain, timeout: '60m' }, {}, onStart),
  );
  return { tenants, steps };
}

/** Requires that a size takes no more than its share of a smaller one. */
function compare({ expect }: ProofContext, smaller: Size | undefined, { tenants, steps }: Size): void {
  for (const [name, { seconds, requests, memory }] of Object.entries(steps)) {
    expect(memory <= mostMemory, `${tenants} tenants, ${name}: ${memory} MiB, more than ${mostMemory}`);
    const before = smaller?.steps[name];
    if (smaller === undefined || before === undefined) continue;
    const factor = tenants / smaller.tenants;
    expect(
      requests <= before.requests * factor,
      `${name}: ${requests} requests, and ${before.requests} for a ${factor}th`,
    );
    const isLinear = seconds <= tellingSeconds || seconds <= before.seconds * factor * slack;
    expect(isLinear, `${name}: ${seconds} s, and ${before.seconds} s for a ${factor}th`);
  }
}

/** Looks how much memory a process holds at most, as long as it runs; what it has held is gone with it. */
function watchMemory(): { onStart: NonNullable<OnStart>; most(): number } {
  let most = 0;
  let looking: NodeJS.Timeout | undefined;
  const onStart = (pid: number): void => {
    looking = setInterval(async () => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      most = Math.max(most, Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0));
    }, 20);
  };
  return {
    onStart,
    most() {
      clearInterval(looking);
      return Math.round(most / 1024);
    },
  };
}
