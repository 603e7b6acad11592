import { describe, expect, it } from '@jest/globals';
import { type ShimOptions, shimCertificates } from './ingress-shim.js';
import type { Ingress } from './model.js';

const options: ShimOptions = { certManagerVersion: 'v1.21.2' };
const own = { 'cert-manager.io/cluster-issuer': 'letsencrypt' };

function ingress(annotations: Record<string, string> = own, metadata: Partial<Ingress['metadata']> = {}): Ingress {
  return {
    metadata: { name: 'platform-ui', namespace: 'mcp-sentinel', uid: 'uid-9', annotations, ...metadata },
    spec: { tls: [{ hosts: ['platform.example.org'], secretName: 'platform-tls' }] },
  };
}

function withTls(...tls: NonNullable<Ingress['spec']['tls']>[number][]): Ingress {
  return { ...ingress(), spec: { tls } };
}

const specOf = (annotations: Record<string, string>, version = 'v1.21.2') =>
  shimCertificates(ingress({ ...own, ...annotations }), { certManagerVersion: version }).certificates[0]?.spec;
const problemsOf = (annotations: Record<string, string>) =>
  shimCertificates(ingress({ ...own, ...annotations }), options).problems;

describe('the Certificate of a TLS block', () => {
  it('is named like its Secret and controlled by the Ingress', () => {
    expect(
      shimCertificates(ingress(own, { labels: { app: 'ui', 'applyset.kubernetes.io/part-of': 'x' } }), options),
    ).toEqual({
      problems: [],
      certificates: [
        {
          metadata: {
            name: 'platform-tls',
            namespace: 'mcp-sentinel',
            labels: { app: 'ui' },
            annotations: {},
            ownerReferences: [
              {
                apiVersion: 'networking.k8s.io/v1',
                kind: 'Ingress',
                name: 'platform-ui',
                uid: 'uid-9',
                controller: true,
                blockOwnerDeletion: true,
              },
            ],
          },
          spec: {
            secretName: 'platform-tls',
            dnsNames: ['platform.example.org'],
            ipAddresses: [],
            issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer', group: 'cert-manager.io' },
            usages: ['digital signature', 'key encipherment'],
          },
        },
      ],
    });
  });

  it('keeps the order of hosts, each once, addresses apart', () => {
    const hosts = ['b.org', '10.0.0.1', 'a.org', 'b.org', '::1'];
    const [certificate] = shimCertificates(withTls({ hosts, secretName: 's' }), options).certificates;
    expect(certificate?.spec).toMatchObject({ dnsNames: ['b.org', 'a.org'], ipAddresses: ['10.0.0.1', '::1'] });
    const [older] = shimCertificates(withTls({ hosts, secretName: 's' }), {
      certManagerVersion: '1.21.1',
    }).certificates;
    expect(older?.spec.dnsNames).toEqual(['b.org', 'a.org', 'b.org']);
  });

  it('takes its fields from annotations', () => {
    expect(
      specOf({
        'cert-manager.io/common-name': 'platform.example.org',
        'cert-manager.io/alt-names': 'x.org,y.org',
        'cert-manager.io/ip-sans': '10.0.0.1',
        'cert-manager.io/email-sans': 'a@b.org,c@d.org',
        'cert-manager.io/subject-organizations': '"Example, Inc.",Other',
        'cert-manager.io/subject-serialnumber': '7',
        'cert-manager.io/duration': '720h',
        'cert-manager.io/renew-before': '24h',
        'cert-manager.io/renew-before-percentage': '20',
        'cert-manager.io/usages': 'server auth, client auth',
        'cert-manager.io/revision-history-limit': '3',
        'cert-manager.io/private-key-algorithm': 'ECDSA',
        'cert-manager.io/private-key-encoding': 'PKCS8',
        'cert-manager.io/private-key-size': '384',
        'cert-manager.io/private-key-rotation-policy': 'Never',
        'cert-manager.io/secret-template': '{"labels":{"a":"b"}}',
      }),
    ).toEqual({
      secretName: 'platform-tls',
      issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer', group: 'cert-manager.io' },
      commonName: 'platform.example.org',
      dnsNames: ['platform.example.org', 'x.org', 'y.org'],
      ipAddresses: ['10.0.0.1'],
      emailAddresses: ['a@b.org', 'c@d.org'],
      subject: { organizations: ['Example, Inc.', 'Other'], serialNumber: '7' },
      duration: '720h',
      renewBefore: '24h',
      renewBeforePercentage: 20,
      usages: ['server auth', 'client auth'],
      revisionHistoryLimit: 3,
      privateKey: { algorithm: 'ECDSA', encoding: 'PKCS8', size: 384, rotationPolicy: 'Never' },
      secretTemplate: { labels: { a: 'b' } },
    });
  });

  it('has no names from annotations before 1.21', () => {
    expect(specOf({ 'cert-manager.io/alt-names': 'x.org' }, '1.20.2')?.dnsNames).toEqual(['platform.example.org']);
  });

  it('gets the solver’s annotations, and those that the operator lets through', () => {
    const found = shimCertificates(
      ingress({
        ...own,
        'acme.cert-manager.io/http01-edit-in-place': 'true',
        'acme.cert-manager.io/http01-ingress-class': 'traefik',
        'acme.cert-manager.io/http01-ingress-ingressclassname': 'nginx',
        'example.org/team': 'ops',
      }),
      { ...options, extraCertificateAnnotations: ['example.org/team', 'example.org/none'] },
    );
    expect(found.certificates[0]?.metadata.annotations).toEqual({
      'example.org/team': 'ops',
      'acme.cert-manager.io/http01-override-ingress-name': 'platform-ui',
      'cert-manager.io/issue-temporary-certificate': 'true',
      'acme.cert-manager.io/http01-override-ingress-class': 'traefik',
      'acme.cert-manager.io/http01-override-ingress-ingressclassname': 'nginx',
    });
  });

  it('gets a class that is empty, and none by its name, before 1.20', () => {
    const annotations = {
      ...own,
      'acme.cert-manager.io/http01-ingress-class': '',
      'acme.cert-manager.io/http01-ingress-ingressclassname': 'nginx',
    };
    const annotationsIn = (certManagerVersion: string) =>
      shimCertificates(ingress(annotations), { certManagerVersion }).certificates[0]?.metadata.annotations;
    expect(annotationsIn('1.19.5')).toEqual({ 'acme.cert-manager.io/http01-override-ingress-class': '' });
    expect(annotationsIn('1.20.0')).toEqual({
      'acme.cert-manager.io/http01-override-ingress-ingressclassname': 'nginx',
    });
  });

  it('takes numbers as long as Go has room for', () => {
    expect(specOf({ 'cert-manager.io/renew-before-percentage': '-2147483648' })?.renewBeforePercentage).toBe(
      -2147483648,
    );
    const key = { 'cert-manager.io/private-key-algorithm': 'Ed25519' };
    expect(specOf({ ...key, 'cert-manager.io/private-key-size': '2147483648' })?.privateKey?.size).toBe(2147483648);
    expect(specOf({ ...key, 'cert-manager.io/private-key-size': '9223372036854775808' })).toBeUndefined();
  });

  it('keeps an applyset label before 1.17', () => {
    const labels = { 'applyset.kubernetes.io/part-of': 'x' };
    const found = shimCertificates(ingress(own, { labels }), { certManagerVersion: '1.16.2' });
    expect(found.certificates[0]?.metadata.labels).toEqual(labels);
  });
});

describe('the issuer', () => {
  const refOf = (annotations: Record<string, string>, more: Partial<ShimOptions> = {}) =>
    shimCertificates(ingress(annotations), { ...options, ...more }).certificates[0]?.spec.issuerRef;

  it('may be namespaced, of another kind, or the default', () => {
    expect(refOf({ 'cert-manager.io/issuer': 'x' })).toEqual({ name: 'x', kind: 'Issuer', group: 'cert-manager.io' });
    expect(
      refOf({ 'cert-manager.io/issuer': 'x', 'cert-manager.io/issuer-kind': 'K', 'cert-manager.io/issuer-group': 'g' }),
    ).toEqual({ name: 'x', kind: 'K', group: 'g' });
    const defaults = { defaultIssuerName: 'd', defaultIssuerKind: 'ClusterIssuer', defaultIssuerGroup: 'g' };
    expect(refOf({ 'kubernetes.io/tls-acme': 'true' }, defaults)).toEqual({
      name: 'd',
      kind: 'ClusterIssuer',
      group: 'g',
    });
  });

  it.each([
    [{ 'kubernetes.io/tls-acme': 'true' }, 'failed to determine issuer name'],
    [
      { ...own, 'cert-manager.io/issuer': 'x' },
      'both "cert-manager.io/issuer" and "cert-manager.io/cluster-issuer" may not be set',
    ],
    [
      { ...own, 'cert-manager.io/issuer-kind': 'x' },
      'both "cert-manager.io/cluster-issuer" and "cert-manager.io/issuer-kind"',
    ],
    [
      { ...own, 'cert-manager.io/issuer-group': 'x' },
      'both "cert-manager.io/cluster-issuer" and "cert-manager.io/issuer-group"',
    ],
  ])('must be clear: %p', (annotations, problem) => {
    const found = shimCertificates(ingress(annotations), options);
    expect(found.certificates).toEqual([]);
    expect(found.problems.join()).toContain(problem);
  });
});

describe('no Certificate', () => {
  it.each([
    ['without the annotation', ingress({})],
    ['with an automatic annotation that is not true', ingress({ 'kubernetes.io/tls-acme': 'yes' })],
    ['while being deleted', ingress(own, { deletionTimestamp: '2026-06-01T00:00:00Z' })],
    ['while dependents are deleted first', ingress(own, { finalizers: ['foregroundDeletion'] })],
    ['without TLS', { ...ingress(), spec: {} }],
  ])('%s', (_, given) => {
    expect(shimCertificates(given, options)).toEqual({ certificates: [], problems: [] });
  });

  it('for a block without hosts or Secret; other blocks are not affected', () => {
    const found = shimCertificates(withTls({ secretName: 'a' }, { hosts: ['b.org'], secretName: 'b' }, {}), options);
    expect(found.certificates.map((one) => one.metadata.name)).toEqual(['b']);
    expect(found.problems).toEqual([
      'Skipped a TLS block: spec.tls[0].hosts: Required value',
      'Skipped a TLS block: [spec.tls[2].hosts: Required value, spec.tls[2].secretName: Required value]',
    ]);
  });

  it('at all where two blocks name one Secret', () => {
    const block = { hosts: ['a.org'], secretName: 's' };
    expect(shimCertificates(withTls(block, { hosts: ['b.org'], secretName: 't' }, block), options)).toEqual({
      certificates: [],
      problems: [
        'spec.tls[0].secretName: Invalid value: "s": this secret name must only appear in a single TLS entry but is also used in spec.tls[2].secretName',
      ],
    });
  });

  it.each([
    ['duration', '30d'],
    ['renew-before', ''],
    ['renew-before-percentage', 'x'],
    ['usages', 'serving'],
    ['revision-history-limit', '0'],
    ['private-key-algorithm', 'rsa'],
    ['private-key-encoding', 'PEM'],
    ['private-key-size', '1024'],
    ['private-key-rotation-policy', 'always'],
    ['subject-countries', '"DE'],
    ['secret-template', '{'],
    ['secret-template', '[]'],
    ['secret-template', '{"name":"x"}'],
    ['secret-template', '{"labels":{"a":1}}'],
    ['secret-template', '{"labels":["a"]}'],
    ['secret-template', '{"annotations":{"cert-manager.io/issuer-name":"x"}}'],
  ])('for an unusable annotation %s: %s', (name, value) => {
    expect(problemsOf({ [`cert-manager.io/${name}`]: value })).toEqual([
      expect.stringContaining(`invalid ingress annotation "cert-manager.io/${name}"`),
    ]);
    expect(specOf({ [`cert-manager.io/${name}`]: value })).toBeUndefined();
  });

  it('told beside every block that is skipped, and by the name that cert-manager gives it', () => {
    const annotations = {
      ...own,
      'cert-manager.io/private-key-size': '256',
      'cert-manager.io/private-key-rotation-policy': 'never',
    };
    const tls = [{ hosts: ['a.org'], secretName: 'a' }, { secretName: 'b' }];
    expect(shimCertificates({ ...ingress(annotations), spec: { tls } }, options)).toEqual({
      certificates: [],
      problems: [
        'Skipped a TLS block: spec.tls[1].hosts: Required value',
        expect.stringContaining('invalid ingress annotation "cert-manager.io/private-key-size"'),
      ],
    });
    expect(problemsOf({ 'cert-manager.io/subject-organizationalunits': '"' })).toEqual([
      expect.stringContaining('invalid ingress annotation "cert-manager.io/subject-organizations"'),
    ]);
  });

  it('but one, for sizes that fit the algorithm', () => {
    expect(
      specOf({ 'cert-manager.io/private-key-algorithm': 'ECDSA', 'cert-manager.io/private-key-size': '521' }),
    ).toBeDefined();
    expect(
      specOf({ 'cert-manager.io/private-key-algorithm': 'Ed25519', 'cert-manager.io/private-key-size': '1' }),
    ).toBeDefined();
    expect(specOf({ 'cert-manager.io/secret-template': 'null' })?.secretTemplate).toBeUndefined();
  });
});
