import { type Observation, observe } from '../backup/observe.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';
import { platformConfig } from '../platform/resources.js';
import { type Journal, readJournal } from './journal.js';

/** Everything that a wipe decides from. No Secret is in it. */
export interface WipeObservation extends Observation {
  /** MCP Runtime's own objects, wherever they are. */
  platformObjects: KubeObject[];
  webhooks: KubeObject[];
  clusterRoles: KubeObject[];
  clusterRoleBindings: KubeObject[];
  apiServices: KubeObject[];
  volumes: KubeObject[];
  /** The domain that the platform on this cluster was installed for; undefined where its configuration is gone. */
  installedDomain: string | undefined;
  /** What an earlier wipe left that did not finish. */
  journal: Journal | undefined;
}

const platformKinds = [kinds.mcpServer, kinds.mcpAccessGrant, kinds.mcpAgentSession];
const webhookKinds = [kinds.mutatingWebhookConfiguration, kinds.validatingWebhookConfiguration];

/** Reads a cluster for a wipe, everything at once: one list per kind, however many namespaces there are. */
export async function look(cluster: Cluster): Promise<WipeObservation> {
  const all = async (...wanted: Parameters<Cluster['list']>[0][]): Promise<KubeObject[]> =>
    (await Promise.all(wanted.map((kind) => cluster.list(kind)))).flatMap(({ items }) => items);
  const [seen, platformObjects, webhooks, clusterRoles, clusterRoleBindings, apiServices, volumes, config, journal] =
    await Promise.all([
      observe(cluster),
      all(...platformKinds),
      all(...webhookKinds),
      all(kinds.clusterRole),
      all(kinds.clusterRoleBinding),
      all(kinds.apiService),
      all(kinds.persistentVolume),
      cluster.get<KubeObject>(kinds.configMap, platformConfig),
      readJournal(cluster),
    ]);
  const domain = isRecord(config?.data) ? config.data.MCP_PLATFORM_DOMAIN : undefined;
  return {
    ...seen,
    platformObjects,
    webhooks,
    clusterRoles,
    clusterRoleBindings,
    apiServices,
    volumes,
    installedDomain: typeof domain === 'string' && domain !== '' ? domain : undefined,
    journal,
  };
}
