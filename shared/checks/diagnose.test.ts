import { describe, expect, it } from '@jest/globals';
import { releaseSettings } from '../certificates/controller-settings.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { diagnose } from './diagnose.js';
import type { World } from './world.js';

const now = new Date('2026-05-01T12:00:00Z');

describe('diagnose', () => {
  it('names a challenge with an unknown reason before the Certificate that waits for it', () => {
    const waiting = challenge('the CA is thinking');
    const world = {
      ...empty(),
      challenges: [waiting],
      seen: { ...empty().seen, certificates: [certificate('False')] },
    };
    expect(codesOf(world)).toEqual(['challenge-pending', 'certificate-not-ready']);
  });

  it('does not blame a NetworkPolicy before the challenge has said anything', () => {
    const closed = objectOf(kinds.networkPolicy, {
      metadata: { namespace: 'registry', name: 'deny' },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    const world = { ...empty(), networkPolicies: [closed] };
    expect(codesOf({ ...world, challenges: [challenge('')] })).toEqual(['challenge-pending']);
    const late = challenge("wrong status code '504', expected '200'");
    expect(codesOf({ ...world, challenges: [late] })).toEqual(['challenge-network-policy']);
  });

  it('takes a refused order for history once its Certificate is Ready again', () => {
    const order = objectOf(kinds.order, {
      metadata: {
        namespace: 'registry',
        name: 'registry-cert-1',
        annotations: { 'cert-manager.io/certificate-name': 'registry-cert' },
      },
      status: { state: 'errored', reason: '429 urn:ietf:params:acme:error:rateLimited: too many certificates' },
    });
    const world = { ...empty(), orders: [order] };
    expect(codesOf({ ...world, seen: { ...world.seen, certificates: [certificate('False')] } })[0]).toBe(
      'rate-limited',
    );
    expect(codesOf({ ...world, seen: { ...world.seen, certificates: [certificate('True')] } })).toEqual([]);
  });

  it('says nothing of what the credentials may not read', () => {
    expect(codesOf({ ...empty(), nodes: [] })).toEqual(['node-unschedulable']);
    expect(codesOf({ ...empty(), nodes: [], unseen: ['nodes'] })).toEqual([]);
  });

  it('does not blame an old refusal for a workload that has all its pods', () => {
    const labels = { app: 'ui' };
    const workload = objectOf(kinds.deployment, {
      metadata: { namespace: 'mcp-sentinel', name: 'ui' },
      spec: { replicas: 1, selector: { matchLabels: labels } },
      status: { updatedReplicas: 1, replicas: 1, availableReplicas: 0 },
    });
    const refused = objectOf(kinds.event, {
      metadata: { namespace: 'mcp-sentinel', name: 'ui.1' },
      reason: 'FailedCreate',
      message: 'exceeded quota',
      involvedObject: { name: 'ui-5d' },
    });
    const pod = objectOf(kinds.pod, { metadata: { namespace: 'mcp-sentinel', name: 'ui-5d-1', labels } });
    const base = empty();
    const world = { ...base, workloads: [...base.workloads, workload], warnings: [refused] };
    expect(codesOf(world)).toEqual(['workload-quota']);
    expect(codesOf({ ...world, pods: [pod] })).toEqual(['workload-not-ready']);
  });
});

function codesOf(world: World): string[] {
  return diagnose(world).map(({ code }) => code);
}

function challenge(reason: string): KubeObject {
  return objectOf(kinds.challenge, {
    metadata: { namespace: 'registry', name: 'one' },
    spec: { dnsName: 'registry.example.com' },
    status: { state: 'pending', reason },
  });
}

function certificate(ready: 'True' | 'False'): World['seen']['certificates'][number] {
  return {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { namespace: 'registry', name: 'registry-cert', uid: '1' },
    spec: {
      secretName: 'registry-tls',
      dnsNames: ['registry.example.com', 'mcp.example.com'],
      issuerRef: { name: 'letsencrypt-prod' },
    },
    status: {
      conditions: [{ type: 'Ready', status: ready, reason: 'Test' }],
      renewalTime: '2026-06-01T00:00:00Z',
    },
  };
}

/** A cluster on which nothing is wrong, and nothing of the platform is installed but an issuer. */
function empty(): World {
  const rolledOut = { replicas: 1, updatedReplicas: 1, availableReplicas: 1 };
  const system = (name: string): KubeObject =>
    objectOf(kinds.deployment, { metadata: { namespace: 'kube-system', name }, status: rolledOut });
  const manager = ['cert-manager', 'cert-manager-webhook', 'cert-manager-cainjector'].map((name) =>
    objectOf(kinds.deployment, { metadata: { namespace: 'cert-manager', name }, status: rolledOut }),
  );
  const ready = { conditions: [{ type: 'Ready', status: 'True' }], nodeInfo: { architecture: 'amd64' } };
  const issuer = objectOf(kinds.clusterIssuer, { metadata: { name: 'letsencrypt-prod' }, status: ready });
  const annotations = { 'storageclass.kubernetes.io/is-default-class': 'true' };
  return {
    seen: {
      fingerprint: '',
      now,
      certificates: [],
      requests: [],
      issuers: [{ ...issuer, spec: {} }],
      ingresses: [],
      namespaces: ['registry', 'mcp-sentinel'].map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      })),
      certManager: { state: 'running', version: 'v1.21.2', namespace: 'cert-manager', settings: releaseSettings },
      layout: 'unknown',
      anchor: undefined,
      groups: new Map([['cert-manager.io', ['v1']]]),
    },
    hosts: { registry: 'registry.example.com', mcp: 'mcp.example.com', platform: 'platform.example.com' },
    imagePlatform: 'linux/amd64',
    nodes: [objectOf(kinds.node, { metadata: { name: 'one' }, status: ready })],
    workloads: [system('coredns'), system('traefik'), ...manager],
    pods: [],
    warnings: [],
    services: [],
    claims: [],
    networkPolicies: [],
    ingressClasses: ['traefik'],
    storageClasses: [objectOf(kinds.storageClass, { metadata: { name: 'local-path', annotations } })],
    apiServices: [],
    admissionWebhooks: [],
    orders: [],
    challenges: [],
    ledger: [],
    config: undefined,
    pullSecrets: [],
    lacking: [],
    admission: { state: 'ok', message: '' },
    holders: new Map(),
    names: [],
    secretsServed: new Map(),
    backup: undefined,
    installer: undefined,
    brake: undefined,
    unseen: [],
  };
}
