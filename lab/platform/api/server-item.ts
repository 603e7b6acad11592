import { at, numberAt, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import type { KubeObject } from '../../../shared/cluster/objects.js';

/**
 * A server as the API shows it. Its status is the Deployment's, whose ready pods may be old ones; the MCPServer's own
 * phase counts only while there is no Deployment.
 */
export function serverItem(server: KubeObject, deployment: KubeObject | undefined): Record<string, unknown> {
  const { name, namespace = '', uid, labels, creationTimestamp, generation } = server.metadata;
  const wanted = numberAt(deployment, 'spec', 'replicas') ?? 0;
  const ready = numberAt(deployment, 'status', 'readyReplicas') ?? 0;
  const tag = textAt(server, 'spec', 'imageTag');
  const description = textAt(server, 'spec', 'description');
  const teamId = textAt(server, 'spec', 'teamID');
  const endpoint = `https://${textAt(server, 'spec', 'ingressHost')}${textAt(server, 'spec', 'ingressPath')}`;
  const tools = recordsAt(server, 'spec', 'tools');
  const list = (field: string): unknown => at(server, 'spec', field) ?? [];
  return {
    name,
    namespace,
    uid,
    team_id: teamId,
    image: withoutHost(textAt(server, 'spec', 'image')),
    ...(tag === '' ? {} : { imageTag: tag }),
    ...(description === '' ? {} : { description }),
    ready: `${ready}/${wanted}`,
    status: statusOf(ready, wanted, deployment, textAt(server, 'status', 'phase')),
    labels,
    age: creationTimestamp,
    endpoint,
    authMode: textAt(server, 'spec', 'auth', 'mode') || 'header',
    servicePort: numberAt(server, 'spec', 'servicePort') ?? 80,
    generation,
    ...(tools.length === 0 ? {} : { tools }),
    prompts: list('prompts'),
    resources: list('mcpResources'),
    tasks: list('tasks'),
    liveInventory: null,
    access_json: connectConfig(name, endpoint),
    observability: {
      namespace,
      server: name,
      team_id: teamId,
      // The four queries' texts are not recorded.
      prometheus: { queries: [], direct_admin_only: true },
      grafana: { available: true, url: `/api/runtime/servers/${namespace}/${name}/grafana`, direct_admin_only: false },
    },
  };
}

export function connectConfig(name: string, url: string): Record<string, unknown> {
  return { mcpServers: { [name]: { type: 'http', url } } };
}

function statusOf(ready: number, wanted: number, deployment: KubeObject | undefined, phase: string): string {
  if (deployment === undefined) return phase || 'Unknown';
  if (ready >= wanted) return 'Ready';
  return ready > 0 ? 'Degraded' : 'NotReady';
}

function withoutHost(image: string): string {
  const [first = '', ...rest] = image.split('/');
  return rest.length > 0 && /[.:]/.test(first) ? rest.join('/') : image;
}
