import { objectOf } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { namespaces } from './names.js';
import { pairOf } from './objects.js';

/** A Deployment, StatefulSet or DaemonSet with one container. */
export interface Workload {
  kind: 'deployment' | 'statefulSet' | 'daemonSet';
  namespace: string;
  name: string;
  container: string;
  image: string;
  replicas?: number;
  /** Ports of the container, and of the Service of the same name where there is one. */
  ports?: readonly number[];
  labels?: Record<string, string>;
  env?: readonly Record<string, unknown>[];
  envFrom?: readonly Record<string, unknown>[];
  /** Requests of a StatefulSet's claims, by name. */
  claims?: Record<string, string>;
  /** A claim that is there already, by the name of its volume. */
  volumes?: readonly { name: string; claim: string; path: string }[];
  resources?: Record<string, unknown>;
  pullPolicy?: 'Always' | 'IfNotPresent';
  serviceAccount?: string;
}

export const labelsOf = ({ name, labels }: Pick<Workload, 'name' | 'labels'>): Record<string, string> =>
  labels ?? { app: name };

/** The object of a workload, fit for the strictest Pod Security level. */
export function workloadOf(workload: Workload): [Kind, KubeObject] {
  const { kind, namespace, name, replicas = 1, claims = {}, volumes = [] } = workload;
  const labels = labelsOf(workload);
  const template = {
    metadata: { labels },
    spec: {
      ...(workload.serviceAccount ? { serviceAccountName: workload.serviceAccount } : {}),
      imagePullSecrets: [{ name: 'mcp-runtime-registry-pull' }],
      containers: [containerOf(workload)],
      volumes: volumes.map((one) => ({ name: one.name, persistentVolumeClaim: { claimName: one.claim } })),
    },
  };
  const spec = {
    selector: { matchLabels: labels },
    template,
    ...(kind === 'daemonSet' ? {} : { replicas }),
    ...(kind === 'statefulSet'
      ? {
          serviceName: name,
          volumeClaimTemplates: Object.entries(claims).map(([claim, size]) => ({
            metadata: { name: claim },
            spec: claimSpec(size),
          })),
        }
      : {}),
  };
  return [kinds[kind], objectOf(kinds[kind], { metadata: { name, namespace, labels }, spec })];
}

export const claimSpec = (size: string): Record<string, unknown> => ({
  accessModes: ['ReadWriteOnce'],
  resources: { requests: { storage: size } },
});

/** The Service in front of a workload; a StatefulSet's is headless. */
export function serviceOf(workload: Workload, extra: Record<string, unknown> = {}): [Kind, KubeObject] {
  const { namespace, name, kind, ports = [] } = workload;
  const spec = {
    selector: labelsOf(workload),
    ports: ports.map((port) => ({ name: `port-${port}`, port, targetPort: port })),
    ...(kind === 'statefulSet' ? { clusterIP: 'None' } : {}),
    ...extra,
  };
  return pairOf(kinds.service, { metadata: { name, namespace, labels: labelsOf(workload) }, spec });
}

/** What the images of one run are called. */
export interface Images {
  registry: string;
  tag: string;
}

const config = [
  { configMapRef: { name: 'mcp-sentinel-config' } },
  { secretRef: { name: 'mcp-sentinel-secrets' } },
] as const;

/** mcp-sentinel's workloads in the order in which the installer makes and awaits them. */
export function sentinelWorkloads(layout: 'mono' | 'split', { registry, tag }: Images): Workload[] {
  const base = { namespace: namespaces.sentinel };
  const built = (name: string): string => `${registry}/${name}:${tag}`;
  const own = (name: string, container: string, ports: readonly number[], more: Partial<Workload> = {}): Workload => ({
    ...base,
    kind: 'deployment',
    name,
    container,
    image: built(name),
    ports,
    envFrom: config,
    ...more,
  });
  const set = (
    name: string,
    image: string,
    ports: readonly number[],
    claims: Record<string, string>,
    replicas = 1,
  ): Workload => ({
    ...base,
    kind: 'statefulSet',
    name,
    container: name.replace('mcp-sentinel-', ''),
    image,
    ports,
    claims,
    replicas,
  });
  const apis: Workload[] =
    layout === 'mono'
      ? [own('mcp-sentinel-api', 'api', [8080, 9090])]
      : [
          own('mcp-platform-api', 'platform-api', [8080, 9090], {
            resources: { requests: { 'ephemeral-storage': '1Gi' }, limits: { 'ephemeral-storage': '4Gi' } },
          }),
          own('mcp-runtime-api', 'runtime-api', [8084, 9094], { serviceAccount: 'mcp-runtime-api' }),
          own('mcp-analytics-api', 'analytics-api', [8085, 9095]),
        ];
  return [
    {
      ...set('clickhouse', 'clickhouse/clickhouse-server:24.8', [8123, 9000], { 'clickhouse-data': '20Gi' }),
      env: [
        {
          name: 'CLICKHOUSE_DB',
          valueFrom: { configMapKeyRef: { name: 'mcp-sentinel-config', key: 'CLICKHOUSE_DB' } },
        },
      ],
    },
    set('kafka', 'apache/kafka:3.8.0', [9092, 9093], { 'kafka-data': '10Gi' }, 3),
    set('mcp-sentinel-postgres', 'postgres:16-alpine', [5432], { data: '5Gi' }),
    own('mcp-sentinel-ingest', 'ingest', [8081], { replicas: 3, pullPolicy: 'Always' }),
    own('mcp-sentinel-processor', 'processor', [9091], { replicas: 3, pullPolicy: 'Always' }),
    ...apis,
    own('mcp-sentinel-ui', 'ui', [8082]),
    own('mcp-sentinel-gateway', 'traefik', [8083], { image: 'traefik:v3.1' }),
    own('prometheus', 'prometheus', [9090], { image: 'prom/prometheus:v2.54.1' }),
    own('otel-collector', 'otel-collector', [4317, 4318], { image: 'otel/opentelemetry-collector:0.108.0' }),
    set('tempo', 'grafana/tempo:2.5.0', [3200], { 'tempo-data': '10Gi' }),
    set('loki', 'grafana/loki:3.1.1', [3100], { 'loki-data': '10Gi' }),
    { ...base, kind: 'daemonSet', name: 'promtail', container: 'promtail', image: 'grafana/promtail:3.1.1' },
    own('grafana', 'grafana', [3000], {
      image: 'grafana/grafana:11.2.0',
      volumes: [{ name: 'storage', claim: 'grafana-pvc', path: '/var/lib/grafana' }],
    }),
  ];
}

/** The images that the installer builds itself: the operator's and the gateway's first, then mcp-sentinel's. */
export function builtImages(layout: 'mono' | 'split'): { runtime: string[]; analytics: string[] } {
  const apis = layout === 'mono' ? ['mcp-sentinel-api'] : ['mcp-platform-api', 'mcp-runtime-api', 'mcp-analytics-api'];
  return {
    runtime: ['mcp-runtime-operator', 'mcp-sentinel-mcp-gateway'],
    analytics: ['mcp-sentinel-ingest', ...apis, 'mcp-sentinel-processor', 'mcp-sentinel-ui'],
  };
}

function containerOf({
  container,
  image,
  ports = [],
  env,
  envFrom,
  volumes = [],
  resources,
  pullPolicy,
  kind,
  claims = {},
}: Workload): Record<string, unknown> {
  const claimed =
    kind === 'statefulSet' ? Object.keys(claims).map((name) => ({ name, mountPath: `/var/lib/${name}` })) : [];
  return {
    name: container,
    image,
    imagePullPolicy: pullPolicy ?? 'IfNotPresent',
    ports: ports.map((containerPort) => ({ containerPort })),
    ...(env ? { env } : {}),
    ...(envFrom ? { envFrom } : {}),
    ...(resources ? { resources } : {}),
    volumeMounts: [...claimed, ...volumes.map(({ name, path }) => ({ name, mountPath: path }))],
    securityContext: {
      allowPrivilegeEscalation: false,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}
