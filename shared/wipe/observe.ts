import type { Cluster } from '../cluster/cluster.js';
import { certificateParts, type Facts, type Observation, observeParts } from '../facts/observation.js';
import { type Journal, readJournal } from './journal.js';

const more = ['platformObjects', 'webhooks', 'clusterRoles', 'clusterRoleBindings', 'apiServices', 'volumes'] as const;

/** Everything that a wipe decides from. No Secret is in it. */
export interface WipeObservation extends Observation, Pick<Facts, (typeof more)[number]> {
  /** The domain that the platform on this cluster was installed for; undefined where its configuration is gone. */
  installedDomain: string | undefined;
  /** What an earlier wipe left that did not finish. */
  journal: Journal | undefined;
}

/** Observes a cluster for a wipe. */
export async function observeForWipe(cluster: Cluster): Promise<WipeObservation> {
  const [{ config, ...seen }, journal] = await Promise.all([
    observeParts(cluster, [...certificateParts, ...more, 'config']),
    readJournal(cluster),
  ]);
  return { ...seen, installedDomain: config?.MCP_PLATFORM_DOMAIN || undefined, journal };
}
