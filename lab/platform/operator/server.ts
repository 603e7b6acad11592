import { objectOf } from '../../../shared/cluster/cluster.js';
import { at, numberAt, recordsAt, textAt } from '../../../shared/cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../../../shared/cluster/objects.js';

const gatewayPort = 8091;

/** The Deployment, Service and Ingress that the operator makes of a server. */
export function objectsOfServer(server: KubeObject, gatewayImage: string): [Kind, KubeObject][] {
  const { name, namespace = '' } = server.metadata;
  const labels = { app: name, 'app.kubernetes.io/managed-by': 'mcp-runtime' };
  const own = (kind: Kind, content: Record<string, unknown>): [Kind, KubeObject] => [
    kind,
    objectOf(kind, { metadata: metadataFor(server, name), ...content }),
  ];
  const path = textAt(server, 'spec', 'ingressPath');
  const [, ingress] = own(kinds.ingress, {
    spec: {
      ingressClassName: textAt(server, 'spec', 'ingressClass') || 'traefik',
      rules: [
        {
          host: textAt(server, 'spec', 'ingressHost'),
          http: {
            paths: [{ path, pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }],
          },
        },
      ],
    },
  });
  ingress.metadata.annotations = {
    'traefik.ingress.kubernetes.io/router.entrypoints': 'websecure',
    'traefik.ingress.kubernetes.io/router.tls': 'true',
  };
  return [
    own(kinds.deployment, {
      spec: {
        replicas: numberAt(server, 'spec', 'replicas') ?? 1,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
        selector: { matchLabels: { app: name } },
        template: {
          metadata: { labels: { ...labels, 'mcpruntime.org/rollout-track': 'stable' } },
          spec: podSpec(server, namespace, gatewayImage),
        },
      },
    }),
    own(kinds.service, {
      spec: {
        selector: { app: name },
        ports: [
          { name: 'http', port: 80, targetPort: gatewayPort },
          { name: 'metrics', port: 9103, targetPort: 9103 },
        ],
      },
    }),
    [kinds.ingress, ingress],
  ];
}

/** Metadata of an object that goes with its server. */
export function metadataFor(server: KubeObject, name: string): KubeObject['metadata'] {
  const { apiVersion, kind, metadata } = server;
  return {
    name,
    ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
    labels: {
      app: metadata.name,
      'app.kubernetes.io/managed-by': 'mcp-runtime',
      'mcpruntime.org/rollout-track': 'stable',
    },
    ownerReferences: [
      { apiVersion, kind, name: metadata.name, uid: metadata.uid ?? '', controller: true, blockOwnerDeletion: true },
    ],
  };
}

function podSpec(server: KubeObject, namespace: string, gatewayImage: string): Record<string, unknown> {
  const { name } = server.metadata;
  const port = numberAt(server, 'spec', 'port') ?? 8088;
  const tag = textAt(server, 'spec', 'imageTag');
  const image = textAt(server, 'spec', 'image');
  const securityContext = {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  };
  const resources = {
    requests: { cpu: '50m', memory: '64Mi' },
    limits: { cpu: '500m', memory: '256Mi' },
  };
  const common = { imagePullPolicy: 'IfNotPresent', securityContext };
  const policy = `${name}-gateway-policy`;
  return {
    // A team's account has its pull Secret; the shared namespace has no account of that name.
    ...(namespace.startsWith('mcp-team-')
      ? { serviceAccountName: 'mcp-workload' }
      : { imagePullSecrets: [{ name: 'mcp-runtime-registry-pull' }] }),
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, runAsUser: 65532 },
    containers: [
      {
        ...common,
        name,
        image: tag === '' ? image : `${image}:${tag}`,
        ports: [{ containerPort: port }],
        env: recordsAt(server, 'spec', 'envVars'),
        resources: at(server, 'spec', 'resources') ?? resources,
        readinessProbe: { tcpSocket: { port } },
      },
      {
        ...common,
        name: 'mcp-gateway',
        image: textAt(server, 'spec', 'gateway', 'image') || gatewayImage,
        ports: [{ containerPort: gatewayPort }, { containerPort: 9103 }],
        env: analyticsEnvironment(server),
        resources,
        readinessProbe: { httpGet: { path: '/ready', port: gatewayPort } },
        volumeMounts: [{ name: 'policy', mountPath: '/etc/mcp-gateway' }],
      },
    ],
    volumes: [{ name: 'policy', configMap: { name: policy } }],
  };
}

/** Without a receiver that is named there is no key to it, and no Secret. */
function analyticsEnvironment(server: KubeObject): Record<string, unknown>[] {
  const analytics = at(server, 'spec', 'analytics');
  if (analytics === undefined || at(analytics, 'disabled') === true) return [];
  const named = textAt(analytics, 'ingestURL');
  const url = named || 'http://mcp-sentinel-ingest.mcp-sentinel.svc.cluster.local:8081/events';
  const secretKeyRef = { name: `${server.metadata.name}-analytics-creds`, key: 'api-key' };
  return [
    { name: 'ANALYTICS_INGEST_URL', value: url },
    ...(named === '' ? [] : [{ name: 'ANALYTICS_API_KEY', valueFrom: { secretKeyRef } }]),
  ];
}
