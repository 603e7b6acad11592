import { askByLines } from '../../lab/driver/answerer.js';
import { buildOwnModule } from '../../lab/driver/own-module.js';
import { numberAt, recordsAt, textAt } from '../../shared/cluster/fields.js';
import type { KubeObject } from '../../shared/cluster/objects.js';
import { rolloutState } from '../../shared/cluster/rollout-state.js';
import { type Dice, diceOf } from '../forecast/random/dice.js';
import { type Random, seeded, seedOf } from '../random.js';
import type { ProofContext } from '../support/proof.js';

interface Answer {
  status?: string;
  why?: string;
  error?: string;
}

/** A rule in which mcprt is meant to differ from kstatus, and why. */
interface Difference {
  rule: string;
  reason: string;
  applies(object: KubeObject): boolean;
}

const isOnDelete = (object: KubeObject): boolean => textAt(object, 'spec', 'updateStrategy', 'type') === 'OnDelete';
const hasCondition = (object: KubeObject, ...types: string[]): boolean =>
  recordsAt(object, 'status', 'conditions').some(({ type }) => types.includes(String(type)));

export const differences: readonly Difference[] = [
  {
    rule: 'StatefulSet with OnDelete',
    reason: 'kstatus calls it Current whatever its pods do; setup and the checks ask whether they run',
    applies: (object) => object.kind === 'StatefulSet' && isOnDelete(object),
  },
  {
    rule: 'DaemonSet with OnDelete',
    reason: 'kstatus waits for pods that nobody renews; nothing would ever come of it',
    applies: (object) => object.kind === 'DaemonSet' && isOnDelete(object),
  },
  {
    rule: 'no observedGeneration',
    reason: 'kstatus then looks at the counts; what no controller of apps/v1 has seen has none that mean anything',
    applies: (object) => numberAt(object, 'status', 'observedGeneration') === undefined,
  },
  {
    rule: 'conditions Reconciling and Stalled',
    reason: 'no controller of apps/v1 writes them, so that they are not read',
    applies: (object) => hasCondition(object, 'Reconciling', 'Stalled'),
  },
  {
    rule: 'Deployment without the conditions Available or Progressing',
    reason: 'kstatus waits for them; their controller writes them in one update with the counts, which tell the same',
    applies: (object) =>
      object.kind === 'Deployment' && !(hasCondition(object, 'Available') && hasCondition(object, 'Progressing')),
  },
];

/** Asks kstatus and mcprt of the same generated workloads whether their rollout is complete. */
export async function compareWithKstatus(context: ProofContext): Promise<Record<string, unknown>> {
  const program = await buildOwnModule('kstatus', context);
  const kstatus = askByLines<Answer>('kstatus', program);
  const random = seeded(seedOf(context.env));
  const count = context.small ? 5_000 : 100_000;
  const tally = { compared: 0, current: 0, meant: new Map(differences.map(({ rule }) => [rule, 0])) };
  try {
    for (let left = count; left > 0; left -= 1_000) {
      const objects = Array.from({ length: Math.min(left, 1_000) }, () => workloadOf(random));
      const answers = await kstatus.ask(objects);
      objects.forEach((object, index) => {
        const answer = answers[index] ?? {};
        const own = rolloutState(object);
        const isCurrent = answer.status === 'Current';
        tally.compared += 1;
        if (isCurrent) tally.current += 1;
        if (answer.error === undefined && own.complete === isCurrent) return;
        const meant = differences.find(({ applies }) => applies(object));
        if (meant !== undefined) {
          tally.meant.set(meant.rule, (tally.meant.get(meant.rule) ?? 0) + 1);
          return;
        }
        const theirs = `${answer.status ?? answer.error}: ${answer.why ?? ''}`;
        context.fail(`kstatus says ${theirs}, mcprt ${own.why || 'complete'}: ${JSON.stringify(object)}`);
      });
    }
  } finally {
    kstatus.stop();
  }
  const share = tally.current / tally.compared;
  context.expect(share > 0.05, `only ${Math.round(share * 100)} % of the workloads are Current: that compares little`);
  for (const [rule, times] of tally.meant) {
    context.expect(times > 0, `nothing differs any more by "${rule}": take it off the list`);
  }
  return {
    seed: random.seed,
    workloads: tally.compared,
    current: tally.current,
    meant: Object.fromEntries(tally.meant),
  };
}

/** A workload of one of the three kinds, with counts that are mostly those of a rollout near its end. */
function workloadOf(random: Random): KubeObject {
  const dice = diceOf(random);
  const kind = dice.pick(['Deployment', 'StatefulSet', 'DaemonSet'] as const);
  const wanted = dice.weighted([
    [1, 0],
    [4, 1],
    [4, dice.between(2, 4)],
  ]);
  const near = (): number =>
    dice.weighted([
      [8, wanted],
      [1, Math.max(0, wanted - 1)],
      [1, wanted + 1],
      [1, 0],
    ]);
  const generation = dice.between(1, 4);
  const observed = dice.chance(90) ? { observedGeneration: dice.chance(92) ? generation : dice.between(0, 5) } : {};
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: {
      name: 'w',
      namespace: 'n',
      generation,
      ...(dice.chance(3) ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    spec: {
      ...(wanted === 1 && dice.chance(30) ? {} : kind === 'DaemonSet' ? {} : { replicas: wanted }),
      ...(kind === 'Deployment' ? deploymentSpec(dice) : { updateStrategy: strategyOf(dice, wanted) }),
    },
    status: { ...observed, ...statusOf(kind, dice, near) },
  };
}

function deploymentSpec(dice: Dice): Record<string, unknown> {
  return {
    ...(dice.chance(10) ? { paused: true } : {}),
    ...(dice.chance(80) ? { progressDeadlineSeconds: dice.chance(90) ? 600 : 2_147_483_647 } : {}),
  };
}

function strategyOf(dice: Dice, wanted: number): Record<string, unknown> {
  if (dice.chance(15)) return { type: 'OnDelete' };
  if (dice.chance(30)) return { type: 'RollingUpdate' };
  return { type: 'RollingUpdate', rollingUpdate: { partition: dice.chance(60) ? 0 : dice.between(0, wanted + 1) } };
}

function statusOf(kind: string, dice: Dice, near: () => number): Record<string, unknown> {
  const some = (fields: readonly string[]): Record<string, number> =>
    Object.fromEntries(fields.flatMap((field) => (dice.chance(96) ? [[field, near()]] : [])));
  const strange = dice.chance(3)
    ? [{ type: dice.pick(['Reconciling', 'Stalled']), status: dice.pick(['True', 'False']), reason: 'R', message: '' }]
    : [];
  if (kind === 'DaemonSet') {
    return {
      ...some([
        'desiredNumberScheduled',
        'currentNumberScheduled',
        'updatedNumberScheduled',
        'numberAvailable',
        'numberReady',
      ]),
      conditions: strange,
    };
  }
  const counts = some(['replicas', 'updatedReplicas', 'readyReplicas', 'availableReplicas']);
  if (kind === 'StatefulSet') {
    const revisions = { currentRevision: 'a', updateRevision: dice.chance(85) ? 'a' : 'b' };
    return { ...counts, ...some(['currentReplicas']), ...revisions, conditions: strange };
  }
  return { ...counts, conditions: [...strange, ...deploymentConditions(dice)] };
}

function deploymentConditions(dice: Dice): Record<string, unknown>[] {
  const progressing = dice.weighted([
    [10, { status: 'True', reason: 'NewReplicaSetAvailable' }],
    [1, { status: 'True', reason: 'ReplicaSetUpdated' }],
    [1, { status: 'Unknown', reason: 'DeploymentPaused' }],
    [1, { status: 'False', reason: 'ProgressDeadlineExceeded' }],
  ]);
  return [
    ...(dice.chance(95) ? [{ type: 'Progressing', message: '', ...progressing }] : []),
    ...(dice.chance(95)
      ? [{ type: 'Available', status: dice.chance(93) ? 'True' : 'False', reason: 'R', message: '' }]
      : []),
  ];
}
