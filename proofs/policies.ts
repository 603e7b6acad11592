import pMap from 'p-map';
import { namespaceOf } from '../lab/platform/resources.js';
import { type Cluster, objectOf } from '../shared/cluster/cluster.js';
import { at, recordsAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { lackingRule, listTeamPolicies } from '../shared/rollout/policies.js';
import { openGate } from './gate.js';
import { kubectlShell } from './kubectl.js';
import { withoutMasks } from './leaks.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { wipeNamespaces } from './rig.js';
import { makeRolloutWorld, type RolloutWorld } from './rollout/world.js';

/** Round trip to the API server that is added on the way, in ms. */
const roundTrip = 25;
/** What the README claims of 200 teams. */
const aim = { teams: 200, ratio: 40 };

/** What the runbook's script does for each team, one after another (rollout.sh, step 11). */
const runbook = `for ns in $(kubectl get ns --no-headers | awk '{print $1}' | grep '^mcp-team-t'); do
  kubectl get networkpolicy platform-default-deny -n "$ns" >/dev/null
  kubectl get networkpolicy platform-default-deny -n "$ns" -o json >/dev/null
  kubectl patch networkpolicy platform-default-deny -n "$ns" --type json -p '[{"op":"add","path":"/spec/ingress/-","value":{"from":[{"namespaceSelector":{"matchLabels":{"kubernetes.io/metadata.name":"kube-system"}}}]}}]' >/dev/null
done`;

export const policies: Proof = {
  name: 'policies',
  claim:
    'the teams’ NetworkPolicies: one list, patches only where the rule is missing, all at once; timed next to the runbook’s loop over the same round trip',
  async run(context) {
    const world = await makeRolloutWorld(context, 'split');
    const gate = await openGate(world.state);
    try {
      gate.reset({});
      const counts = context.small ? [15] : [200, 1000];
      const rows: Record<string, unknown>[] = [];
      const problems: string[] = [];
      const images = await world.pushAll();
      const settled = await world.roll({ images, policies: 'false' });
      if (settled.code !== 0) problems.push(withoutMasks(settled.log));
      for (const teams of counts) {
        await fill(world.cluster, teams);
        gate.reset({ delay: roundTrip });
        const first = await world.roll({ images, kubeconfig: gate.kubeconfig });
        const requests = gate.requests();
        const lacking = lackingRule(await listTeamPolicies(world.cluster), 'kube-system').length;
        gate.reset({ delay: roundTrip });
        const second = await world.roll({ images, kubeconfig: gate.kubeconfig });
        const writes = gate.writes().length;
        for (const run of [first, second]) if (run.code !== 0) problems.push(withoutMasks(run.log));
        if (lacking > 0) problems.push(`${lacking} policies still lack the rule`);
        if (writes > 0) problems.push(`the second run wrote ${writes} times`);
        rows.push({
          teams,
          // The one list is made while everything else is looked at.
          seconds: round(phaseOf(first, 'look') + phaseOf(first, 'policies')),
          whole: round(first.seconds),
          requests,
          secondRunWrites: writes,
        });
        context.progress(
          `  ${teams} teams: ${phaseOf(first, 'policies')} s, ${requests} requests; again: ${writes} writes`,
        );
      }
      const loop = await timeLoop(context, world, gate, counts[0] ?? 0);
      const ratio = round(loop.seconds / Number(rows[0]?.seconds));
      const asAWhole = round(loop.seconds / Number(rows[0]?.whole));
      const mustReach = context.small ? 1 : aim.ratio;
      if (ratio < mustReach) problems.push(`${ratio} times faster, not ${mustReach}`);
      return verdict(rows, loop, { timesFaster: ratio, timesFasterWithTheWholeRollout: asAWhole }, problems);
    } finally {
      await gate.close();
      await world.close();
    }
  },
};

function verdict(
  rows: Record<string, unknown>[],
  loop: { seconds: number; requests: number; rulesInOne: number },
  ratios: Record<string, number>,
  problems: string[],
): Proven {
  return {
    ok: problems.length === 0,
    figures: { roundTripMs: roundTrip, action: rows, runbook: loop, ...ratios },
    problems,
  };
}

/** The runbook's loop over the teams of the first size, from policies without the rule as well. */
async function timeLoop(
  context: ProofContext,
  { state, cluster }: RolloutWorld,
  gate: Awaited<ReturnType<typeof openGate>>,
  teams: number,
): Promise<{ seconds: number; requests: number; rulesInOne: number }> {
  const all = await listTeamPolicies(cluster);
  await pMap(all, (policy) => cluster.delete(kinds.networkPolicy, policy.metadata), { concurrency: 32 });
  const names = all.map(({ metadata }) => metadata.namespace ?? '').filter((name) => name.startsWith('mcp-team-t'));
  await wipeNamespaces(cluster, names.slice(teams));
  await pMap(names.slice(0, teams), (name) => makePolicy(cluster, name), { concurrency: 32 });
  const shell = await kubectlShell(context, state, gate);
  gate.reset({ delay: roundTrip });
  const started = performance.now();
  await shell(runbook);
  const seconds = round((performance.now() - started) / 1000);
  const [one] = await listTeamPolicies(cluster);
  return { seconds, requests: gate.requests(), rulesInOne: recordsAt(one, 'spec', 'ingress').length };
}

/** Team namespaces with the policy that runtime-api gives them, without the rule for Traefik. */
async function fill(cluster: Cluster, teams: number): Promise<void> {
  const present = new Set((await cluster.list(kinds.namespace)).items.map(({ metadata }) => metadata.name));
  const names = Array.from({ length: teams }, (_, index) => `mcp-team-t${index}`);
  await pMap(
    names,
    async (name) => {
      if (!present.has(name)) {
        const labels = { 'platform.mcpruntime.org/managed': 'true', 'mcpruntime.org/team-slug': name.slice(9) };
        await cluster.create(kinds.namespace, namespaceOf(name, 'restricted', labels));
      } else {
        await cluster.delete(kinds.networkPolicy, { namespace: name, name: 'platform-default-deny' });
      }
      await makePolicy(cluster, name);
    },
    { concurrency: 24 },
  );
}

async function makePolicy(cluster: Cluster, namespace: string): Promise<void> {
  const from = (selector: Record<string, unknown>): Record<string, unknown> => ({ from: [selector] });
  const named = (name: string): Record<string, unknown> => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  });
  await cluster.create(
    kinds.networkPolicy,
    objectOf(kinds.networkPolicy, {
      metadata: { namespace, name: 'platform-default-deny' },
      spec: {
        podSelector: {},
        policyTypes: ['Ingress', 'Egress'],
        ingress: [from({ podSelector: {} }), from(named('mcp-sentinel'))],
        egress: [{ ports: [{ protocol: 'UDP', port: 53 }] }],
      },
    }),
  );
}

function phaseOf({ outputs }: { outputs: Record<string, string> }, name: string): number {
  const phases = recordsAt(JSON.parse(outputs.result ?? '{}'), 'phases');
  return round(
    Number(
      at(
        phases.find((one) => one.name === name),
        'seconds',
      ) ?? 0,
    ),
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
