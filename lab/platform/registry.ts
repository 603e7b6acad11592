import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { labKinds } from './kinds.js';
import { namespaces } from './names.js';
import { pairOf } from './objects.js';
import { ingressOf } from './resources.js';
import { claimSpec, serviceOf, type Workload, workloadOf } from './workloads.js';

const namespace = namespaces.registry;

/** The annotation that puts authentication in front of the public registry, and its value. */
export const registryAuth = {
  annotation: 'traefik.ingress.kubernetes.io/router.middlewares',
  middleware: 'registry-admin-auth@file',
} as const;

/** Everything of namespace `registry` but its Certificates, in the installer's order. */
export function registryObjects(host: string, storage: string, onK3s: boolean): [Kind, KubeObject][] {
  const workload: Workload = {
    kind: 'deployment',
    namespace,
    name: 'registry',
    container: 'registry',
    image: 'registry:2.8.3',
    ports: [5000],
    volumes: [{ name: 'registry-storage', claim: 'registry-storage', path: '/var/lib/registry' }],
  };
  const selected = { podSelector: { matchLabels: { app: 'registry' } } };
  const port = [{ protocol: 'TCP', port: 5000 }];
  const policy = (name: string, spec: Record<string, unknown>): [Kind, KubeObject] =>
    pairOf(kinds.networkPolicy, { metadata: { name, namespace }, spec });
  const dns = {
    ports: [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ],
  };
  const from = ['traefik', namespaces.sentinel, namespaces.runtime, namespaces.servers].map((name) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } },
  }));
  const ingress = ingressOf(namespace, 'registry', host, 'registry-tls', 'registry', false);
  ingress.metadata.annotations = {
    'traefik.ingress.kubernetes.io/router.entrypoints': 'websecure',
    [registryAuth.annotation]: registryAuth.middleware,
  };
  return [
    serviceOf(workload, {
      type: 'NodePort',
      ports: [{ name: 'registry', port: 5000, targetPort: 5000, nodePort: 32000 }],
    }),
    pairOf(kinds.persistentVolumeClaim, {
      metadata: { name: 'registry-storage', namespace },
      spec: claimSpec(storage),
    }),
    workloadOf(workload),
    pairOf(labKinds.disruptionBudget, {
      metadata: { name: 'registry', namespace },
      spec: { minAvailable: 1, selector: { matchLabels: { app: 'registry' } } },
    }),
    [kinds.ingress, ingress],
    policy('registry-allow-egress', { ...selected, policyTypes: ['Egress'], egress: [dns, { ports: port }] }),
    policy('registry-allow-ingress', {
      ...selected,
      policyTypes: ['Ingress'],
      ingress: [
        {
          from: [...from, { namespaceSelector: { matchLabels: { 'platform.mcpruntime.org/managed': 'true' } } }],
          ports: port,
        },
      ],
    }),
    policy('registry-default-deny', { podSelector: {}, policyTypes: ['Ingress', 'Egress'] }),
    ...(onK3s
      ? [
          policy('registry-allow-ingress-k3s', {
            ...selected,
            policyTypes: ['Ingress'],
            ingress: [
              {
                from: [
                  {
                    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
                    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'traefik' } },
                  },
                  { ipBlock: { cidr: '10.0.0.0/8' } },
                ],
                ports: port,
              },
            ],
          }),
        ]
      : []),
    pairOf(labKinds.serversTransport, {
      metadata: { name: 'registry-internal-tls', namespace },
      spec: {
        serverName: 'registry.registry.svc.cluster.local',
        rootCAs: [{ secret: 'registry-internal-tls' }],
      },
    }),
  ];
}
