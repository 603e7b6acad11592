import type { KubeObject, ObjectMeta } from '../../cluster/objects.js';
import type { RolloutObservation } from '../observe.js';

/** A workload of mcp-sentinel with an image by container, before any controller has seen it. */
export function workload(
  name: string,
  images: Readonly<Record<string, string>>,
  { kind = 'Deployment', metadata = {}, spec = {}, pod = {}, annotations, status = {} }: WorkloadParts = {},
): KubeObject {
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: 'mcp-sentinel', uid: `uid-${name}`, generation: 1, ...metadata },
    spec: {
      replicas: 1,
      selector: { matchLabels: { app: name } },
      ...spec,
      template: {
        ...(annotations === undefined ? {} : { metadata: { annotations } }),
        spec: { containers: Object.entries(images).map(([container, image]) => ({ name: container, image })), ...pod },
      },
    },
    status,
  };
}

interface WorkloadParts {
  kind?: 'Deployment' | 'StatefulSet' | 'DaemonSet';
  metadata?: Partial<ObjectMeta>;
  spec?: object;
  pod?: object;
  annotations?: Readonly<Record<string, string>>;
  status?: object;
}

/** An entry of `metadata.managedFields`: who wrote the images of some containers, and gave some pull Secrets. */
export function managed(
  manager: string,
  { operation = 'Apply', time = '', images = [], named = [], pullSecrets = [] }: ManagedParts,
): Record<string, unknown> {
  const member = (name: string, fields: object): [string, object] => [`k:${JSON.stringify({ name })}`, fields];
  return {
    manager,
    operation,
    ...(time === '' ? {} : { time }),
    fieldsV1: {
      'f:spec': {
        'f:template': {
          'f:spec': {
            'f:containers': Object.fromEntries([
              ...images.map((name) => member(name, { '.': {}, 'f:name': {}, 'f:image': {} })),
              ...named.map((name) => member(name, { '.': {}, 'f:name': {}, 'f:env': {} })),
            ]),
            'f:imagePullSecrets': Object.fromEntries(pullSecrets.map((name) => member(name, {}))),
          },
        },
      },
    },
  };
}

interface ManagedParts {
  operation?: 'Apply' | 'Update';
  time?: string;
  /** Containers whose image it wrote. */
  images?: readonly string[];
  /** Containers of which it wrote other fields only. */
  named?: readonly string[];
  pullSecrets?: readonly string[];
}

/** What a rollout has seen of a cluster with nothing in it, but for what is given. */
export function observed(parts: Partial<RolloutObservation> = {}): RolloutObservation {
  return {
    now: new Date('2026-11-24T12:00:00Z'),
    fingerprint: 'f',
    deployments: [],
    statefulSets: [],
    daemonSets: [],
    nodes: [],
    config: {},
    registryPassword: 'p',
    pullSecret: '',
    policies: [],
    journal: undefined,
    ...parts,
  };
}
