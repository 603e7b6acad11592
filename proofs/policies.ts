import pMap from 'p-map';
import { createObject } from '../lab/platform/objects.js';
import { namespaceOf } from '../lab/platform/resources.js';
import type { Cluster } from '../shared/cluster/cluster.js';
import { at, recordsAt } from '../shared/cluster/fields.js';
import { kinds } from '../shared/cluster/objects.js';
import { lackingRule, listTeamPolicies } from '../shared/rollout/policies.js';
import { round1, secondsSince } from './support/figures.js';
import { kubectlShell } from './support/kubectl.js';
import type { Proof, ProofContext } from './support/proof.js';
import { resultOf } from './support/runs.js';
import { wipeNamespaces } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

/** Round trip to the API server that is added on the way, in ms. */
const roundTrip = 25;
/** What the docs claim of 200 teams. */
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
  run: (context) =>
    inWorld(context, ['services', 'front', 'source', 'gate'], async (world) => {
      const { gate, cluster } = world;
      const counts = context.small ? [15] : [200, 1000];
      const rows: Row[] = [];
      const images = await world.services.pushAll();
      context.expectDone('the rollout before', await world.rollout({ images, policies: 'false' }));
      for (const teams of counts) {
        await fill(cluster, teams);
        gate.reset({ delay: roundTrip });
        const first = await world.rollout({ images, kubeconfig: gate.kubeconfig });
        const requests = gate.requests();
        const lacking = lackingRule(await listTeamPolicies(cluster), 'kube-system').length;
        gate.reset({ delay: roundTrip });
        const second = await world.rollout({ images, kubeconfig: gate.kubeconfig });
        const secondRunWrites = gate.writes().length;
        for (const run of [first, second]) context.expectDone(`${teams} teams`, run);
        context.expect(lacking === 0, `${lacking} policies still lack the rule`);
        context.expect(secondRunWrites === 0, `the second run wrote ${secondRunWrites} times`);
        // The one list is made while everything else is looked at.
        const seconds = round1(phaseOf(first, 'look') + phaseOf(first, 'policies'));
        rows.push({ teams, seconds, whole: round1(first.seconds), requests, secondRunWrites });
        const took = `${phaseOf(first, 'policies')} s, ${requests} requests`;
        context.progress(`  ${teams} teams: ${took}; again: ${secondRunWrites} writes`);
      }
      const loop = await timeLoop(context, world, counts[0] ?? 0);
      const timesFaster = round1(loop.seconds / Number(rows[0]?.seconds));
      const timesFasterWithTheWholeRollout = round1(loop.seconds / Number(rows[0]?.whole));
      const mustReach = context.small ? 1 : aim.ratio;
      context.expect(timesFaster >= mustReach, `${timesFaster} times faster, not ${mustReach}`);
      return { roundTripMs: roundTrip, action: rows, runbook: loop, timesFaster, timesFasterWithTheWholeRollout };
    }),
};

interface Row {
  teams: number;
  seconds: number;
  whole: number;
  requests: number;
  secondRunWrites: number;
}

/** The runbook's loop over the teams of the first size, from policies without the rule as well. */
async function timeLoop(
  context: ProofContext,
  { state, cluster, gate }: World<'gate'>,
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
  const seconds = secondsSince(started);
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
  await createObject(cluster, kinds.networkPolicy, {
    metadata: { namespace, name: 'platform-default-deny' },
    spec: {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
      ingress: [from({ podSelector: {} }), from(named('mcp-sentinel'))],
      egress: [{ ports: [{ protocol: 'UDP', port: 53 }] }],
    },
  });
}

function phaseOf(run: Parameters<typeof resultOf>[0], name: string): number {
  const phase = recordsAt(resultOf(run), 'phases').find((one) => one.name === name);
  return round1(Number(at(phase, 'seconds') ?? 0));
}
