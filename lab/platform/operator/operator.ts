import { setTimeout as sleep } from 'node:timers/promises';
import { type Cluster, isConflict, isNotFound, objectOf } from '../../../shared/cluster/cluster.js';
import { at, textAt } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, keyOf, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { applier } from '../cert-manager.js';
import { startAdmission } from './admission.js';
import { operatedKinds } from './kinds.js';
import { policyFile, renderPolicy } from './policy.js';
import { metadataFor, objectsOfServer } from './server.js';
import { statusOf } from './status.js';

export interface OperatorOptions {
  /** What runs in the container `mcp-gateway`; without it every server is in phase Error. */
  gatewayImage: string;
  /** An Ingress counts as ready without an address. */
  isPermissive?: boolean;
  /** How long a new server is in phase Error at first, as it is now and then. */
  transientErrorMs?: number;
  /** Milliseconds between two looks. */
  every?: number;
}

/** The operator, running. */
export interface Operator {
  /** Makes no more of servers, and answers no webhooks. */
  close(): Promise<void>;
}

const manager = 'mcp-runtime-operator';
const conflict = (name: string): string =>
  `Failed to reconcile Deployment: Operation cannot be fulfilled on deployments.apps ${JSON.stringify(name)}: the object has been modified; please apply your changes to the latest version and try again`;
const noImage =
  'gateway.image is required when gateway.enabled is true (set spec.gateway.image or MCP_GATEWAY_PROXY_IMAGE on the operator)';

/** Stands in for the platform's operator: makes of each MCPServer what serves it, and judges the platform's objects. */
export async function startOperator(cluster: Cluster, options: OperatorOptions): Promise<Operator> {
  await applier(cluster)(kinds.crd, ...operatedKinds());
  const admission = await startAdmission(cluster);
  const ended = new AbortController();
  const reconcile = reconciler(cluster, options);
  const working = (async () => {
    let last = '';
    while (!ended.signal.aborted) {
      try {
        await reconcile();
        last = '';
      } catch (error) {
        // What lasts is told once, and what was a matter of the moment is made good by the next look.
        const why = messageOf(error);
        if (why === last) process.stderr.write(`operator stand-in: ${why}\n`);
        last = last === '' ? why : `${why} `;
      }
      await sleep(options.every ?? 100, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  return {
    async close() {
      ended.abort();
      await working;
      await admission.close();
    },
  };
}

function reconciler(cluster: Cluster, options: OperatorOptions): () => Promise<void> {
  /** What was applied last, by object: nothing is written twice. */
  const applied = new Map<string, string>();
  const apply = async (kind: Kind, object: KubeObject, isThere: boolean, content = JSON.stringify(object)) => {
    const key = `${kind.plural}/${keyOf(object.metadata)}`;
    if (isThere && applied.get(key) === content) return;
    await cluster.apply(kind, object, { force: true, manager });
    applied.set(key, content);
  };

  return async () => {
    const listed = [kinds.deployment, kinds.service, kinds.ingress, kinds.configMap];
    const labelSelector = 'app.kubernetes.io/managed-by=mcp-runtime';
    const [servers, grants, sessions, ...lists] = await Promise.all([
      cluster.list(kinds.mcpServer),
      cluster.list(kinds.mcpAccessGrant),
      cluster.list(kinds.mcpAgentSession),
      ...listed.map((kind) => cluster.list(kind, { labelSelector })),
    ]);
    const find = (index: number, namespace: string, name: string): KubeObject | undefined =>
      lists[index]?.items.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name);
    for (const server of servers.items) {
      const { name, namespace = '' } = server.metadata;
      if (server.metadata.deletionTimestamp !== undefined) continue;
      const policyName = `${name}-gateway-policy`;
      const there = {
        deployment: find(0, namespace, name),
        service: find(1, namespace, name),
        ingress: find(2, namespace, name),
        policy: find(3, namespace, policyName),
      };
      const failure = failureOf(server, options);
      if (failure === undefined) {
        const rendered = renderPolicy(server, grants.items, sessions.items);
        const map = objectOf(kinds.configMap, {
          metadata: metadataFor(server, policyName),
          data: { 'policy.json': policyFile(rendered) },
        });
        await apply(kinds.configMap, map, there.policy !== undefined, JSON.stringify([server.metadata.uid, rendered]));
        for (const [kind, object] of objectsOfServer(server, options.gatewayImage)) {
          const present = { Deployment: there.deployment, Service: there.service, Ingress: there.ingress }[kind.kind];
          await apply(kind, object, present !== undefined);
        }
      }
      const status = statusOf(server, there, { isPermissive: options.isPermissive ?? false, failure });
      await report(cluster, server, status);
    }
  };
}

function failureOf({ metadata, spec }: KubeObject, options: OperatorOptions): string | undefined {
  const age = Date.now() - Date.parse(metadata.creationTimestamp ?? '');
  if (age < (options.transientErrorMs ?? 0)) return conflict(metadata.name);
  return (textAt(spec, 'gateway', 'image') || options.gatewayImage) === '' ? noImage : undefined;
}

async function report(cluster: Cluster, server: KubeObject, value: Record<string, unknown>): Promise<void> {
  if (JSON.stringify(sorted(at(server, 'status'))) === JSON.stringify(sorted(value))) return;
  await cluster
    .patch(kinds.mcpServer, server.metadata, [{ op: 'add', path: '/status', value }], 'status')
    .catch((error: unknown) => {
      // It was deleted or changed meanwhile.
      if (!isNotFound(error) && !isConflict(error)) throw error;
    });
}

/** The API server gives fields back in an order of its own. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([key, one]) => [key, sorted(one)]),
  );
}
