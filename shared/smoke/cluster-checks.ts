import { containerCause } from '../checks/rules/pod-causes.js';
import type { Cluster } from '../cluster/cluster.js';
import { at, recordsAt, textAt } from '../cluster/fields.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { isOver, troublesOf } from '../cluster/workloads.js';
import { McprtError } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import { until } from './until.js';

const pullSecret = 'mcp-runtime-registry-pull';

/** Whether a team's namespace can pull from the platform's registry. @throws McprtError `smoke-pull-secret` */
export async function requirePullSecret(cluster: Cluster, namespace: string, registry: string): Promise<void> {
  const secret = await cluster.get<KubeObject>(kinds.secret, { namespace, name: pullSecret });
  const text = Buffer.from(textAt(secret, 'data', '.dockerconfigjson'), 'base64').toString('utf8');
  if (isRecord(at(parsedJson(text), 'auths', registry))) return;
  throw new McprtError('smoke-pull-secret', {
    what: `the team’s namespace ${namespace} cannot pull from ${registry}`,
    why:
      secret === undefined ? `there is no Secret ${pullSecret}` : `Secret ${pullSecret} has no entry for ${registry}`,
    next: 'set MCP_REGISTRY_INGRESS_HOST in mcp-sentinel-config and roll out (action-rollout does); the next deploy into the team writes the Secret',
  });
}

/**
 * Waits until the cluster has the server as it was asked for, with its address: the platform calls it ready before that.
 *
 * @param wait in ms
 * @throws McprtError `smoke-mcpserver`
 */
export async function requireMcpServer(
  cluster: Cluster,
  { namespace, name }: { namespace: string; name: string },
  image: string,
  { wait, signal }: { wait: number; signal: AbortSignal },
): Promise<string> {
  let server: KubeObject | undefined;
  const phase = (): string => textAt(server, 'status', 'phase');
  const has = (): string =>
    [textAt(server, 'spec', 'image'), textAt(server, 'spec', 'imageTag')].filter(Boolean).join(':');
  const isSo = await until(wait, signal, async () => {
    server = await cluster.get<KubeObject>(kinds.mcpServer, { namespace, name });
    return phase() === 'Ready' && has() === image;
  });
  if (isSo) return phase();
  throw new McprtError('smoke-mcpserver', {
    what: `the MCPServer ${namespace}/${name} is not as it was asked for`,
    why:
      server === undefined
        ? 'there is none'
        : `phase ${phase() || 'none'}: ${textAt(server, 'status', 'message') || 'no message'}; image ${has()} (asked for: ${image})`,
    next: `the platform calls a server ready before it has an address, which Traefik writes to its Ingress: \`kubectl describe mcpserver ${name} -n ${namespace}\``,
  });
}

/** Why the pods of a server do not run, in a line each; empty when nothing is to be seen. */
export async function podTroubles(
  cluster: Cluster,
  { namespace, name }: { namespace: string; name: string },
): Promise<string> {
  const [pods, events] = await Promise.all([
    cluster.list(kinds.pod, { namespace, labelSelector: `app=${name}` }),
    cluster.list(kinds.event, { namespace, fieldSelector: 'type=Warning' }),
  ]);
  const living = pods.items.filter((pod) => !isOver(pod));
  const causes = living.flatMap((pod) =>
    troublesOf(pod).map((trouble) => {
      const { cause, evidence } = containerCause(pod, trouble, events.items);
      return `${pod.metadata.name}: ${cause}: ${evidence.join('; ')}`;
    }),
  );
  const unplaced = living.flatMap((pod) =>
    recordsAt(pod, 'status', 'conditions')
      .filter((one) => one.type === 'PodScheduled' && one.status === 'False')
      .map((one) => `${pod.metadata.name}: ${textAt(one, 'message')}`),
  );
  return [...new Set([...causes, ...unplaced])].join('\n');
}
