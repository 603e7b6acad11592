import { requireFree } from '../backup/brake.js';
import { type LiveSecret, maskValues } from '../backup/observe.js';
import type { Cluster } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { requireInstalled } from '../platform/installation.js';
import { platformConfig, platformNamespaces, pullSecretName } from '../platform/resources.js';
import { type Journal, readJournal } from './journal.js';
import { listTeamPolicies } from './policies.js';

/** What a rollout looks at before it decides. */
export interface Observed {
  fingerprint: string;
  deployments: KubeObject[];
  statefulSets: KubeObject[];
  daemonSets: KubeObject[];
  nodes: KubeObject[];
  /** Data of mcp-sentinel-config. */
  config: Record<string, string>;
  /** The password that the platform's registry takes from `platform-service`. */
  registryPassword: string;
  /** Text of the pull Secret's `.dockerconfigjson`; empty when there is none. */
  pullSecret: string;
  policies: KubeObject[];
  /** What a rollout that was cut off has left. */
  journal: Journal | undefined;
}

const { sentinel } = platformNamespaces;

/**
 * Looks at everything that a rollout decides by, at once. Changes nothing.
 *
 * @param run this run, as it is called as a holder of the lock between restores and wipes
 * @throws McprtError `rollout-platform`, `restore-locked`, `setup-busy`, `setup-due`
 */
export async function observeRollout(
  cluster: Cluster,
  { run, mask, withoutSecrets }: { run: string; mask: (secret: string) => void; withoutSecrets: boolean },
): Promise<Observed> {
  const inSentinel = { namespace: sentinel };
  const secret = async (name: string): Promise<LiveSecret | undefined> =>
    withoutSecrets ? undefined : cluster.get<LiveSecret>(kinds.secret, { ...inSentinel, name });
  const [, system, deployments, statefulSets, daemonSets, nodes, config, secrets, pull, policies, journal] =
    await Promise.all([
      Promise.all([requireFree(cluster, run), requireInstalled(cluster)]),
      cluster.get<KubeObject>(kinds.namespace, { name: 'kube-system' }),
      cluster.list(kinds.deployment, inSentinel),
      cluster.list(kinds.statefulSet, inSentinel),
      cluster.list(kinds.daemonSet, inSentinel),
      cluster.list(kinds.node),
      cluster.get<KubeObject>(kinds.configMap, platformConfig),
      secret('mcp-sentinel-secrets'),
      secret(pullSecretName),
      listTeamPolicies(cluster),
      readJournal(cluster),
    ]);
  const registryPassword = decoded(secrets, 'UI_API_KEY');
  const pullSecret = decoded(pull, '.dockerconfigjson');
  // All of them, also those that are not needed here: a container that crashes may print any.
  for (const one of [secrets, pull]) if (one !== undefined) maskValues(one, mask);
  for (const password of passwordsIn(pullSecret)) mask(password);
  if (config === undefined || (registryPassword === '' && !withoutSecrets)) {
    throw new McprtError('rollout-platform', {
      what: 'the platform is not there, or not whole',
      why:
        config === undefined
          ? 'mcp-sentinel has no ConfigMap mcp-sentinel-config'
          : 'Secret mcp-sentinel/mcp-sentinel-secrets has no UI_API_KEY, the registry’s password',
      next: 'run action-setup first; after a wipe it restores what a backup holds',
    });
  }
  return {
    fingerprint: system?.metadata.uid ?? '',
    deployments: deployments.items,
    statefulSets: statefulSets.items,
    daemonSets: daemonSets.items,
    nodes: nodes.items,
    config: textsOf(config.data),
    registryPassword,
    pullSecret,
    policies,
    journal,
  };
}

function decoded(secret: KubeObject | undefined, key: string): string {
  return Buffer.from(textAt(secret, 'data', key), 'base64').toString('utf8');
}

function passwordsIn(dockerConfig: string): string[] {
  try {
    const { auths } = JSON.parse(dockerConfig) as { auths?: unknown };
    return isRecord(auths) ? Object.values(auths).flatMap((one) => [textAt(one, 'password'), textAt(one, 'auth')]) : [];
  } catch {
    // What is no JSON is masked as a whole.
    return [dockerConfig];
  }
}

export function textsOf(data: unknown): Record<string, string> {
  const entries = Object.entries(isRecord(data) ? data : {});
  return Object.fromEntries(entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
}
