import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { secretNamesOf } from '../../shared/backup/secret-names.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { connectWithKubeconfig } from '../../shared/cluster/connect.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { requestToken } from '../../shared/cluster/token-request.js';
import { applyGrant, kindOf } from '../../shared/permissions/apply.js';
import { manifestOf } from '../../shared/permissions/manifest.js';
import {
  accountNamespace,
  accountOf,
  grants,
  type OperationName,
  rulesOf,
} from '../../shared/permissions/operations.js';
import { lackingOf } from '../../shared/permissions/review.js';
import { type Demand, wordsOf } from '../../shared/permissions/rule.js';
import { type LabState, labNames, openLab, readLab } from './lab.js';
import { until } from './until.js';

/** Operations of action-backup that ask no cluster: they have no account. */
const clusterless = ['fetch', 'list'];

/**
 * The inputs of a run with the administrator of a lab replaced by the operation's own account. Inputs with other
 * credentials stay as they are: they are what the run is about.
 */
export async function withGeneratedRbac(
  entry: string,
  inputs: Readonly<Record<string, string>>,
): Promise<Record<string, string>> {
  if (entry.startsWith('backup') && clusterless.includes(inputs.operation ?? '')) return { ...inputs };
  const given = inputs.kubeconfig ?? '';
  const text = existsSync(given) ? await readFile(given, 'utf8') : given;
  const state = await labOf(text);
  if (state === undefined) return { ...inputs };
  const names = operationsOf(entry, inputs);
  const cluster = await openLab(state);
  try {
    const { token } = await grant(state, cluster, names);
    return { ...inputs, kubeconfig: replaced(text, token) };
  } finally {
    await cluster.close();
  }
}

/**
 * Grants an operation's account its rules, and gives its token once the API server has taken them in.
 *
 * @param without one thing that it is not granted
 */
export async function grant(
  state: LabState,
  cluster: Cluster,
  names: readonly [OperationName, ...OperationName[]],
  without?: Demand,
): Promise<{ token: string }> {
  const secrets = await secretNamesOf(cluster);
  const objects = names.flatMap((name) => {
    const operation = grants.get(name);
    return operation === undefined ? [] : manifestOf(name, operation, { secrets });
  });
  for (const object of objects)
    await applyGrant(cluster, without === undefined ? object : lessened(object, without), 'lab');
  await withdraw(cluster, names);
  const account = { namespace: accountNamespace, name: accountOf(names[0]) };
  const { token } = await requestToken(cluster, account, 7200);
  const present = (await cluster.list(kinds.namespace)).items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ metadata }) => metadata.name);
  await settled(state, token, names, { without, present });
  return { token };
}

/** Takes back what an earlier run of the same operation was granted for options that this one does not take. */
async function withdraw(cluster: Cluster, names: readonly [OperationName, ...OperationName[]]): Promise<void> {
  const others = [...grants].filter(
    ([name, { accounts }]) => accounts.includes(accountOf(names[0])) && !names.includes(name),
  );
  const bindings = others
    .flatMap(([name, operation]) => manifestOf(name, operation))
    .filter(({ kind }) => kind.endsWith('Binding'));
  await Promise.all(bindings.map((one) => cluster.delete(kindOf(one), one.metadata)));
}

/** The operation that a run is, with the options that its inputs take. */
export function operationsOf(
  entry: string,
  inputs: Readonly<Record<string, string>>,
): [OperationName, ...OperationName[]] {
  const { operation = '', permissions = '' } = inputs;
  if (entry.startsWith('setup')) {
    if (operation === 'check') return [operation];
    return [inputs['dry-run'] === 'true' ? 'setup-plan' : 'install'];
  }
  if (entry.startsWith('rollout') && inputs['without-secrets'] === 'true') return ['rollout-pull-request'];
  if (entry.startsWith('smoke-test')) return ['smoke-test'];
  if (entry.startsWith('rollout')) {
    return [
      operation === 'plan' ? 'rollout-plan' : 'rollout',
      // `auto` may come to it as well.
      ...(inputs['registry-access'] === 'public' ? [] : (['rollout-port-forward'] as const)),
      ...(permissions === '' ? [] : (['rollout-permissions'] as const)),
    ];
  }
  const found = (['backup', 'verify', 'plan', 'restore', 'wipe'] as const).find((one) => one === operation);
  if (found === undefined) throw new Error(`${entry} with operation "${operation}" is no operation`);
  return [found === 'restore' && inputs['dry-run'] === 'true' ? 'plan' : found];
}

/** The lab whose administrator's token a kubeconfig has. */
async function labOf(kubeconfig: string): Promise<LabState | undefined> {
  const token = tokenIn(kubeconfig);
  if (token === undefined) return undefined;
  for (const name of await labNames(process.env)) {
    try {
      const state = await readLab({ name, env: process.env });
      if (tokenIn(await readFile(state.kubeconfig, 'utf8')) === token) return state;
    } catch {
      // Somebody else's lab that is just coming up or going down.
    }
  }
  return undefined;
}

/** Text of a lab's kubeconfig with another token than its administrator's. */
export async function withToken(state: LabState, token: string): Promise<string> {
  return replaced(await readFile(state.kubeconfig, 'utf8'), token);
}

function replaced(kubeconfig: string, token: string): string {
  return kubeconfig.replace(/token: .*/, `token: ${token}`);
}

function tokenIn(kubeconfig: string): string | undefined {
  return /token: (\S+)/.exec(kubeconfig)?.[1];
}

/** A role without one verb, wherever it has it for what is demanded. */
function lessened(object: KubeObject, { verb, group, plural, subresource }: Demand): KubeObject {
  const resource = subresource === '' ? plural : `${plural}/${subresource}`;
  const rules = Array.isArray(object.rules) ? object.rules : undefined;
  if (rules === undefined) return object;
  const kept = (rules as { apiGroups: string[]; resources: string[]; verbs: string[] }[]).map((rule) =>
    rule.apiGroups.includes(group) && rule.resources.includes(resource)
      ? { ...rule, verbs: rule.verbs.filter((one) => one !== verb) }
      : rule,
  );
  return { ...object, rules: kept.filter(({ verbs }) => verbs.length > 0) };
}

/** Waits until the API server's authorizer has seen the roles: its cache is a moment behind. */
async function settled(
  state: LabState,
  token: string,
  names: readonly OperationName[],
  { without, present }: { without: Demand | undefined; present: readonly string[] },
): Promise<void> {
  const { cluster } = await connectWithKubeconfig(await withToken(state, token));
  // Roles in namespaces that are not there cannot be granted; the operation will say so.
  const rules = rulesOf(...names)
    .filter(({ namespace }) => namespace === undefined || present.includes(namespace))
    .map(({ optional: _, ...rule }) => rule);
  try {
    const isTakenIn = async (): Promise<boolean> => {
      const lacking = (await lackingOf(cluster, rules).catch(() => undefined))?.map(wordsOf);
      return without === undefined ? lacking?.length === 0 : (lacking?.includes(wordsOf(without)) ?? false);
    };
    await until(`the API server to take in the roles of ${names.join(', ')}`, isTakenIn, { seconds: 10, every: 20 });
  } finally {
    await cluster.close();
  }
}
