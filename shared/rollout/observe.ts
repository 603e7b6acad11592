import type { Cluster } from '../cluster/cluster.js';
import { textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { requireInstalled } from '../facts/installation.js';
import { requireFree } from '../facts/lock.js';
import { type Facts, observeParts, type Seen } from '../facts/observation.js';
import { type LiveSecret, maskValues } from '../facts/secrets.js';
import { isRecord } from '../json.js';
import { passwordsSecret, platformNamespaces, pullSecretName } from '../platform/resources.js';
import { type Journal, readJournal } from './journal.js';
import { listTeamPolicies } from './policies.js';

const parts = ['deployments', 'statefulSets', 'daemonSets', 'nodes', 'config'] as const;

/** What a rollout decides from. */
export interface RolloutObservation extends Seen, Pick<Facts, Exclude<(typeof parts)[number], 'config'>> {
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

/**
 * Observes everything that a rollout decides from, at once. Changes nothing.
 *
 * @param run this run, as it is called as a holder of the lock between restores and wipes
 * @throws McprtError `rollout-platform`, `restore-locked`, `setup-busy`, `setup-due`
 */
export async function observeRollout(
  cluster: Cluster,
  { run, mask, withoutSecrets }: { run: string; mask: (secret: string) => void; withoutSecrets: boolean },
): Promise<RolloutObservation> {
  const secret = async (name: string): Promise<LiveSecret | undefined> =>
    withoutSecrets
      ? undefined
      : cluster.get<LiveSecret>(kinds.secret, { namespace: platformNamespaces.sentinel, name });
  const looking = Promise.all([
    observeParts(cluster, parts),
    secret(passwordsSecret.name),
    secret(pullSecretName),
    listTeamPolicies(cluster),
    readJournal(cluster),
  ]);
  // A Role goes with its namespace: after a wipe, what may not be read any more would be told, and not why.
  looking.catch(() => undefined);
  await Promise.all([requireFree(cluster, run), requireInstalled(cluster)]);
  const [{ config, ...seen }, secrets, pull, policies, journal] = await looking;
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
  return { ...seen, config, registryPassword, pullSecret, policies, journal };
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
