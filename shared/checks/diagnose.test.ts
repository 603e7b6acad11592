import { describe, expect, it } from '@jest/globals';
import { releaseSettings } from '../certificates/controller-settings.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import type { PlatformFacts } from '../facts/observe-platform.js';
import type { PublicName } from '../platform/reach.js';
import { diagnose, diagnoseSetup, preflight } from './diagnose.js';
import { type SetupStage, setupStages } from './stages.js';

const now = new Date('2026-05-01T12:00:00Z');

describe('diagnose', () => {
  it('names a challenge with an unknown reason before the Certificate that waits for it', () => {
    const waiting = challenge('the CA is thinking');
    const facts = {
      ...empty(),
      challenges: [waiting],
      seen: { ...empty().seen, certificates: [certificate('False')] },
    };
    expect(codesOf(facts)).toEqual(['challenge-pending', 'certificate-not-ready']);
  });

  it('does not blame a NetworkPolicy before the challenge has said anything', () => {
    const closed = objectOf(kinds.networkPolicy, {
      metadata: { namespace: 'registry', name: 'deny' },
      spec: { podSelector: {}, policyTypes: ['Ingress'] },
    });
    const facts = { ...empty(), networkPolicies: [closed] };
    expect(codesOf({ ...facts, challenges: [challenge('')] })).toEqual(['challenge-pending']);
    const late = challenge("wrong status code '504', expected '200'");
    expect(codesOf({ ...facts, challenges: [late] })).toEqual(['challenge-network-policy']);
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
    const facts = { ...empty(), orders: [order] };
    expect(codesOf({ ...facts, seen: { ...facts.seen, certificates: [certificate('False')] } })[0]).toBe(
      'rate-limited',
    );
    expect(codesOf({ ...facts, seen: { ...facts.seen, certificates: [certificate('True')] } })).toEqual([]);
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
    const facts = { ...base, workloads: [...base.workloads, workload], warnings: [refused] };
    expect(codesOf(facts)).toEqual(['workload-quota']);
    expect(codesOf({ ...facts, pods: [pod] })).toEqual(['workload-not-ready']);
  });
});

describe('who answers on port 80', () => {
  const answer = (status: number, body: string, location = '') => ({ status, body, location, server: '' });
  const notFound = answer(404, '404 page not found');
  const host = 'platform.example.com';
  const name = (http: PublicName['http'], unnamed: PublicName['http']): PublicName => ({
    role: 'platform',
    host,
    dns: undefined,
    http,
    unnamed,
    tls: undefined,
    unseen: [],
    isHandedOn: false,
  });
  const found = (one: PublicName, ingresses: PlatformFacts['seen']['ingresses'] = []) => {
    const facts = { ...empty(), names: [one] };
    return preflight({ ...facts, seen: { ...facts.seen, ingresses } }).map(
      ({ code, severity }) => `${severity} ${code}`,
    );
  };

  it.each([
    ['a dashboard that is down', answer(503, 'no available server'), notFound],
    ['a dashboard that is down, behind a catch-all', answer(503, 'no available server'), answer(200, 'an app')],
    ['a dashboard that sends to https', answer(308, '', `https://${host}/`), notFound],
    ['a dashboard that answers', answer(200, '<html>'), notFound],
    ['a dashboard that has crashed', answer(502, 'Bad Gateway'), notFound],
    ['a name that no Ingress is for', notFound, notFound],
    [
      'an entry point that sends all to https',
      answer(200, '<html>'),
      answer(301, 'Moved', 'https://mcprt-probe.invalid/'),
    ],
  ])('is Traefik, for %s', (_, http, unnamed) => {
    expect(found(name(http, unnamed))).toEqual([]);
  });

  it('is somebody else, where neither answer is Traefik’s', () => {
    const nginx = answer(200, 'Welcome to nginx!');
    expect(found(name(nginx, nginx))).toEqual(['error port-80-foreign']);
    const parked = answer(301, '', 'https://parked.example.net/');
    expect(found(name(parked, parked))).toEqual(['error port-80-foreign']);
  });

  it('is a doubt, and stops nothing, where a router for every name or a proxy answers in its place', () => {
    const page = answer(200, '<html>');
    const everything = objectOf(kinds.ingress, { metadata: { namespace: 'shop', name: 'all' } });
    expect(found(name(page, page), [{ ...everything, spec: {} }])).toEqual(['warning port-80-foreign']);
    const away = answer(502, 'Bad Gateway');
    expect(found(name(away, away))).toEqual(['warning port-80-foreign']);
  });
});

describe('behind a proxy', () => {
  const name = (part: Partial<PublicName>): PublicName => ({
    role: 'platform',
    host: 'platform.example.com',
    dns: undefined,
    http: undefined,
    unnamed: undefined,
    tls: undefined,
    unseen: [],
    isHandedOn: true,
    ...part,
  });
  const found = (part: Partial<PublicName>) =>
    preflight({ ...empty(), names: [name(part)] }).map(({ code, severity }) => `${severity} ${code}`);

  it('what is never seen is a notice, and a port that is not, a warning: neither stops a setup', () => {
    expect(found({ unseen: ['DNS: a proxy looks the name up'] })).toEqual(['notice reach-unseen']);
    expect(found({ unseen: ['DNS: x', 'port 443: the proxy does not answer'] })).toEqual(['warning reach-unseen']);
    expect(found({ unseen: ['port 80 for other names: x'] })).toEqual(['notice reach-unseen']);
  });

  it('an answer that the proxy may have made itself is only a doubt', () => {
    const http = { status: 403, body: 'Access denied', location: '', server: 'squid' };
    expect(found({ http })).toEqual(['warning port-80-foreign']);
    expect(found({ http, isHandedOn: false })).toEqual(['error port-80-foreign']);
  });
});

describe('what setup itself brings back', () => {
  const host = 'registry.example.com';
  const name = (part: Partial<PublicName>): PublicName => ({
    role: 'registry',
    host,
    dns: undefined,
    http: undefined,
    unnamed: undefined,
    tls: undefined,
    unseen: [],
    isHandedOn: false,
    ...part,
  });
  const severities = (facts: PlatformFacts) => preflight(facts).map(({ code, severity }) => `${severity} ${code}`);

  it('is the certificate that a strict Traefik has not got: an error of a check, and no reason not to make it', () => {
    const refused = { error: 'tlsv1 alert internal error (ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR)' };
    const facts = { ...empty(), names: [name({ tls: refused })] };
    expect(diagnose(facts)).toMatchObject([{ code: 'port-443-closed', severity: 'error', confidence: 'possible' }]);
    expect(severities(facts)).toEqual(['warning port-443-closed']);
    expect(severities({ ...empty(), names: [name({ tls: { error: 'connect ECONNREFUSED' } })] })).toEqual([
      'error port-443-closed',
    ]);
  });

  it('is what a proxy says that does not get there: its own way comes before the firewall', () => {
    const tls = { error: 'the proxy p:3128 does not get to it: it answers 502', next: 'ask the proxy' };
    expect(diagnose({ ...empty(), names: [name({ tls })] })).toMatchObject([
      {
        code: 'port-443-closed',
        confidence: 'likely',
        remedy: expect.stringMatching(/^ask the proxy\. If that .*firewall/),
      },
    ]);
  });

  it('is a Traefik that waits for the installer’s files, with what follows from it', () => {
    const labels = { app: 'traefik' };
    const traefik = objectOf(kinds.deployment, {
      metadata: { namespace: 'kube-system', name: 'traefik' },
      spec: { replicas: 1, selector: { matchLabels: labels } },
      status: { replicas: 1, updatedReplicas: 1, availableReplicas: 0 },
    });
    const pod = objectOf(kinds.pod, { metadata: { namespace: 'kube-system', name: 'traefik-1', labels } });
    const event = objectOf(kinds.event, {
      metadata: { namespace: 'kube-system', name: 'traefik-1.1' },
      message: 'MountVolume.SetUp failed for volume "traefik-dynamic" : configmap "traefik-dynamic" not found',
      involvedObject: { name: 'traefik-1' },
    });
    const closed = { error: 'connect ECONNREFUSED' };
    const base = empty();
    const workloads = base.workloads.filter(({ metadata }) => metadata.name !== 'traefik');
    const facts = {
      ...base,
      workloads: [...workloads, traefik],
      pods: [pod],
      names: [name({ http: closed, tls: closed })],
    };
    const all = ['traefik-down', 'port-80-closed', 'port-443-closed'];
    expect(severities(facts)).toEqual(all.map((code) => `error ${code}`));
    const waiting = { ...facts, warnings: [event] };
    expect(severities(waiting)).toEqual(all.map((code) => `warning ${code}`));
    expect(diagnose(waiting)[0]).toMatchObject({
      code: 'traefik-down',
      severity: 'error',
      remedy: 'run setup, which makes them again',
    });
  });
});

describe('a platform that is not there', () => {
  const base = empty();
  const without = (...namespaces: string[]): PlatformFacts => ({
    ...base,
    workloads: base.workloads.filter(({ metadata }) => !namespaces.includes(metadata.namespace ?? '')),
  });
  const found = (facts: PlatformFacts) =>
    diagnose(facts).map(({ code, cause, evidence }) => ({ code, cause, evidence }));

  it('is told before the first install, when not even its namespaces are there', () => {
    const facts = { ...without('registry', 'mcp-sentinel'), seen: { ...base.seen, namespaces: [] } };
    expect(found(facts)).toEqual([
      {
        code: 'platform-missing',
        cause: 'the platform is not installed',
        evidence: ['there is no namespace registry', 'there is no namespace mcp-sentinel'],
      },
    ]);
  });

  it('is told after a restore, which brings its namespaces and nothing that runs in them', () => {
    expect(diagnose(without('registry', 'mcp-sentinel'))).toMatchObject([
      {
        code: 'platform-missing',
        severity: 'error',
        evidence: ['namespace registry has no workload', 'namespace mcp-sentinel has no workload'],
        remedy: expect.stringMatching(/^run setup/),
      },
    ]);
  });

  it('is told of a part', () => {
    expect(found(without('mcp-sentinel'))).toEqual([
      {
        code: 'platform-missing',
        cause: 'a part of the platform is not installed',
        evidence: ['namespace mcp-sentinel has no workload'],
      },
    ]);
  });

  it('is nothing to be told of where the credentials may not read workloads', () => {
    const unseen = ['registry', 'mcp-sentinel'].map((namespace) => `statefulsets in ${namespace}`);
    expect(found({ ...without('registry', 'mcp-sentinel'), unseen })).toEqual([]);
  });
});

describe('the platform’s passwords', () => {
  const base = empty();
  const told = (part: Partial<PlatformFacts>) => codesOf({ ...base, ...part });

  it('are missed where the platform runs, and come before the pods that wait for them', () => {
    expect(told({ hasPasswords: false })).toEqual(['passwords-missing']);
    const others = base.workloads.filter(({ metadata }) => metadata.namespace !== 'mcp-sentinel');
    expect(told({ hasPasswords: false, workloads: others })).toEqual(['platform-missing']);
  });

  it('are not spoken of where nobody may look', () => {
    expect(told({ hasPasswords: undefined })).toEqual([]);
  });
});

describe('a setup that has failed', () => {
  const base = empty();
  const cluster = (part: Partial<PlatformFacts>, seen: Partial<PlatformFacts['seen']> = {}): PlatformFacts => ({
    ...base,
    ...part,
    seen: { ...base.seen, ...seen },
  });
  const kubeSystem = base.workloads.filter(({ metadata }) => metadata.namespace === 'kube-system');
  const nothingInstalled = cluster(
    { workloads: kubeSystem, pullSecrets: [{ namespace: 'mcp-sentinel', state: 'missing' }] },
    { namespaces: [], groups: new Map(), issuers: [], certManager: { ...base.seen.certManager, state: 'absent' } },
  );
  const told = (facts: PlatformFacts, reached: SetupStage) => diagnoseSetup(facts, reached).map(({ code }) => code);

  it.each(setupStages.slice(0, 2))('is not told the state before an installation as its cause: %s', (reached) => {
    expect(codesOf(nothingInstalled)).toEqual(['certmanager-missing', 'platform-missing', 'pull-secret-missing']);
    expect(told(nothingInstalled, reached)).toEqual([]);
  });

  it('while the installer runs is not told what the installer had still to make', () => {
    const facts = cluster({
      workloads: base.workloads.filter(({ metadata }) => metadata.namespace !== 'mcp-sentinel'),
    });
    expect(codesOf(facts)).toEqual(['platform-missing']);
    expect(told(facts, 'installer')).toEqual([]);
    expect(told(facts, 'verifying')).toEqual(['platform-missing']);
  });

  it('is told of a cert-manager that does not come up, from when setup waits for it', () => {
    const workloads = base.workloads.map((one) =>
      one.metadata.name === 'cert-manager-webhook' ? { ...one, status: { replicas: 1 } } : one,
    );
    expect(told(cluster({ workloads }), 'looking')).toEqual([]);
    expect(diagnoseSetup(cluster({ workloads }), 'cert-manager')).toMatchObject([
      { code: 'certmanager-unready', severity: 'error' },
    ]);
    expect(preflight(cluster({ workloads }))).toMatchObject([{ code: 'certmanager-unready', severity: 'warning' }]);
  });

  it('is told what setup does not mend, at any time', () => {
    const workloads = base.workloads.filter(({ metadata }) => metadata.namespace !== 'kube-system');
    for (const reached of setupStages) expect(told(cluster({ workloads }), reached)).toContain('kube-system-wiped');
  });

  it('advises setup nowhere before the installer has run', () => {
    const facts = cluster({}, { certManager: { ...base.seen.certManager, state: 'absent' } });
    expect(diagnose(facts).map(({ remedy }) => remedy)).toEqual([expect.stringContaining('setup')]);
    expect(diagnoseSetup(facts, 'looking')).toEqual([]);
  });
});

describe('a workload that is scaled to 0', () => {
  const scaled = (name: string): KubeObject =>
    objectOf(kinds.deployment, { metadata: { namespace: 'mcp-sentinel', name }, spec: { replicas: 0 }, status: {} });

  it('is told, and never stops the setup that brings it back', () => {
    const facts = { ...empty(), workloads: [...empty().workloads, scaled('mcp-sentinel-ui')] };
    expect(diagnose(facts)).toMatchObject([{ code: 'workload-not-ready', severity: 'warning' }]);
    expect(preflight(facts)).toEqual([]);
  });

  it('is the one API of the other layout, and meant to be', () => {
    const { seen, ...rest } = empty();
    const facts = { ...rest, seen: { ...seen, layout: 'split' as const } };
    expect(codesOf({ ...facts, workloads: [...facts.workloads, scaled('mcp-sentinel-api')] })).toEqual([]);
  });
});

function codesOf(facts: PlatformFacts): string[] {
  return diagnose(facts).map(({ code }) => code);
}

function challenge(reason: string): KubeObject {
  return objectOf(kinds.challenge, {
    metadata: { namespace: 'registry', name: 'one' },
    spec: { dnsName: 'registry.example.com' },
    status: { state: 'pending', reason },
  });
}

function certificate(ready: 'True' | 'False'): PlatformFacts['seen']['certificates'][number] {
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

/** A cluster on which nothing is wrong, with the least of the platform that counts as installed. */
function empty(): PlatformFacts {
  const rolledOut = { replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1 };
  const system = (name: string): KubeObject =>
    objectOf(kinds.deployment, { metadata: { namespace: 'kube-system', name }, status: rolledOut });
  const manager = ['cert-manager', 'cert-manager-webhook', 'cert-manager-cainjector'].map((name) =>
    objectOf(kinds.deployment, { metadata: { namespace: 'cert-manager', name }, status: rolledOut }),
  );
  const platform = ['registry', 'mcp-sentinel'].map((namespace) =>
    objectOf(kinds.deployment, { metadata: { namespace, name: 'one' }, status: rolledOut }),
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
      gateways: [],
      namespaces: ['registry', 'mcp-sentinel'].map((name) => ({
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name },
      })),
      certManager: { state: 'running', version: 'v1.21.2', namespace: 'cert-manager', settings: releaseSettings },
      layout: 'unknown',
      anchor: undefined,
      groups: new Map([['cert-manager.io', ['v1']]]),
      canBrake: true,
    },
    hosts: { registry: 'registry.example.com', mcp: 'mcp.example.com', platform: 'platform.example.com' },
    imagePlatform: 'linux/amd64',
    nodes: [objectOf(kinds.node, { metadata: { name: 'one' }, status: ready })],
    workloads: [system('coredns'), system('traefik'), ...manager, ...platform],
    pods: [],
    warnings: [],
    services: [],
    claims: [],
    networkPolicies: [],
    ingressClasses: [{ apiVersion: 'networking.k8s.io/v1', kind: 'IngressClass', metadata: { name: 'traefik' } }],
    storageClasses: [objectOf(kinds.storageClass, { metadata: { name: 'local-path', annotations } })],
    apiServices: [],
    webhooks: [],
    orders: [],
    challenges: [],
    config: undefined,
    pullSecrets: [],
    hasPasswords: true,
    lacking: [],
    admission: { state: 'ok', message: '' },
    holders: new Map(),
    names: [],
    secretsServed: new Map(),
    backup: undefined,
    installer: undefined,
    lock: undefined,
    unseen: [],
  };
}
