import { describe, expect, it } from '@jest/globals';
import { certificatePem, keyPem, newKey } from '../certificates/testing/fixtures.js';
import type { KubeObject } from '../cluster/objects.js';
import { isAcme } from '../facts/acme.js';
import type { LiveCertificate, Observation } from '../facts/observation.js';
import { asSecret, type LiveSecret } from '../facts/secrets.js';
import { observation } from '../facts/testing/observation.js';
import { needsBrake, planRestore } from './plan.js';
import type { CertificateRecord, Snapshot } from './snapshot.js';

const now = new Date('2026-11-24T12:00:00Z');
const day = 24 * 3600_000;
const empty: Snapshot = { objects: [], certificates: [], ledger: [] };

const issuer: KubeObject & { spec: Record<string, unknown> } = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: { name: 'letsencrypt-prod' },
  spec: { acme: { server: 'https://acme.invalid/dir' } },
};

const certificate: LiveCertificate = {
  apiVersion: 'cert-manager.io/v1',
  kind: 'Certificate',
  metadata: { name: 'a', namespace: 'team', uid: 'u1' },
  spec: {
    secretName: 'a-tls',
    dnsNames: ['a.example.com'],
    issuerRef: { name: 'letsencrypt-prod', kind: 'ClusterIssuer' },
    privateKey: { algorithm: 'ECDSA' },
  },
};

const seenNow = (): Observation => observation({ now, certificates: [certificate], issuers: [issuer] });

function liveSecret(age = 10): LiveSecret {
  const key = newKey('P-256');
  const pem = certificatePem({
    key,
    dns: ['a.example.com'],
    notBefore: new Date(now.getTime() - age * day),
    notAfter: new Date(now.getTime() + (90 - age) * day),
  });
  return asSecret({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: 'a-tls',
      namespace: 'team',
      annotations: {
        'cert-manager.io/certificate-name': 'a',
        'cert-manager.io/issuer-name': 'letsencrypt-prod',
        'cert-manager.io/issuer-kind': 'ClusterIssuer',
        'cert-manager.io/issuer-group': 'cert-manager.io',
      },
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': Buffer.from(pem).toString('base64'), 'tls.key': Buffer.from(keyPem(key)).toString('base64') },
  });
}

describe('planRestore', () => {
  it('keeps a live certificate that is newer than the backup and not in it', () => {
    const live = new Map([['Secret team/a-tls', liveSecret()]]);
    const plan = planRestore({ seen: seenNow(), live, snapshot: empty, recordedCertManager: '' });
    expect(plan.certificates).toMatchObject([{ name: 'a', verdict: 'keep', acme: true }]);
    expect(plan.orders).toBe(0);
  });

  it('counts what the cluster shows of issuances, and believes a refusal of the CA', () => {
    const live = new Map([['Secret team/a-tls', liveSecret()]]);
    const plan = (message: string) => {
      const conditions = [{ type: 'Issuing', status: 'False', message }];
      const told = { ...certificate, status: { conditions } } as unknown as LiveCertificate;
      return planRestore({
        seen: { ...seenNow(), certificates: [told] },
        live,
        snapshot: empty,
        recordedCertManager: '',
      });
    };
    expect(plan('').certificates[0]?.budget).toMatchObject({ left: 5 });
    const refused = 'rateLimited: too many certificates, retry after 2026-11-25 12:00:00 UTC';
    const until = new Date('2026-11-25T12:00:00Z');
    expect(plan(refused).certificates[0]?.budget).toEqual({ used: 5, left: 0, nextRefill: until });
    // A ConfigMap may have the name of a Secret.
    const settings = { ...liveSecret(1), kind: 'ConfigMap', data: {} };
    const young = new Map([
      ['Secret team/a-tls', liveSecret(1)],
      ['ConfigMap team/a-tls', settings],
    ]);
    const one = planRestore({ seen: seenNow(), live: young, snapshot: empty, recordedCertManager: '' });
    expect(one.certificates[0]?.budget).toMatchObject({ used: 1, left: 4 });
  });

  it('forecasts for what the installer will make of a live Certificate', () => {
    const live = new Map([['Secret team/a-tls', liveSecret()]]);
    const installer = [
      {
        metadata: { namespace: 'team', name: 'a' },
        spec: {
          secretName: 'a-tls',
          dnsNames: ['other.example.com'],
          issuerRef: { name: 'letsencrypt-prod', kind: 'ClusterIssuer' },
        },
        origin: 'explicit' as const,
        acme: true,
      },
    ];
    const plan = planRestore({
      seen: seenNow(),
      live,
      snapshot: empty,
      recordedCertManager: '',
      installer,
    });
    expect(plan.certificates).toMatchObject([{ name: 'a', verdict: 'order' }]);
    expect(plan.orders).toBe(1);
  });

  it('tells an order that comes in any case, and does not count it', () => {
    const plan = planRestore({
      seen: seenNow(),
      live: new Map(),
      snapshot: empty,
      recordedCertManager: '',
    });
    expect(plan.certificates).toMatchObject([
      { name: 'a', verdict: 'order', reason: 'DoesNotExist', excused: 'standing' },
    ]);
    expect(plan.orders).toBe(0);
    expect(plan.warnings.join()).toContain('team/a is being issued or will be, with or without this restore');
  });

  it('warns of a Certificate that cert-manager does not survive', () => {
    const live = new Map([['Secret team/a-tls', liveSecret()]]);
    const deadly = { ...certificate, spec: { ...certificate.spec, renewal: {} } };
    const plan = planRestore({
      seen: observation({ now, certificates: [deadly], issuers: [issuer] }),
      live,
      snapshot: empty,
      recordedCertManager: 'v1.21.2',
    });
    expect(plan.certificates).toMatchObject([{ name: 'a', verdict: 'blocked', reason: 'ControllerCrash' }]);
    expect(plan.warnings.join()).toContain('team/a: cert-manager’s controller crashes on this Certificate');
  });
});

describe('what a plan knows of a certificate', () => {
  const record = (name: string, acme: boolean): CertificateRecord => ({
    metadata: { namespace: 'team', name },
    spec: { secretName: `${name}-tls`, dnsNames: [`${name}.example.com`], issuerRef: { name: 'x' } },
    origin: 'explicit',
    acme,
  });
  const ingress = (name: string): Observation['ingresses'][number] => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'team',
      name,
      uid: name,
      annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt-prod' },
    },
    spec: { tls: [{ hosts: ['a.example.com'], secretName: name }] },
  });
  const plan = (parts: Partial<Observation>, more: Partial<Parameters<typeof planRestore>[0]> = {}) =>
    planRestore({
      seen: { ...seenNow(), ...parts },
      live: new Map(),
      snapshot: empty,
      recordedCertManager: '',
      ...more,
    });

  it('is what is live, then the backup’s, then what an Ingress asks for, each once', () => {
    const { certificates } = plan(
      { ingresses: [ingress('a'), ingress('b'), ingress('c')] },
      { snapshot: { ...empty, certificates: [record('a', true), record('b', false)] } },
    );
    expect(certificates.map(({ name, origin, acme }) => [name, origin, acme]).sort()).toEqual([
      ['a', 'explicit', true],
      ['b', 'explicit', false],
      ['c', 'intent', true],
    ]);
  });

  it('is what the installer makes, which costs an order where its issuer is not there yet', () => {
    const made = (acme: boolean) =>
      plan(
        { certificates: [], issuers: [{ ...issuer, spec: { selfSigned: {} } }] },
        {
          installer: [{ ...record('z', acme), spec: { ...certificate.spec, secretName: 'z-tls' } }],
        },
      ).certificates.map(({ name, acme: is }) => [name, is]);
    expect([made(true), made(false)]).toEqual([[['z', true]], [['z', false]]]);
  });

  it('goes by its issuer: one of another group orders nothing, and one that nobody knows may', () => {
    const of = (issuerRef: object, issuers: Observation['issuers'] = [issuer]): boolean =>
      isAcme({ ...certificate, spec: { ...certificate.spec, issuerRef } as never }, { issuers });
    const own = (namespace: string, spec: Record<string, unknown>) => ({
      ...issuer,
      kind: 'Issuer',
      metadata: { name: 'own', namespace },
      spec,
    });
    expect(of({ name: 'letsencrypt-prod', kind: 'ClusterIssuer' })).toBe(true);
    expect(of({ name: 'letsencrypt-prod', kind: 'ClusterIssuer', group: 'example.com' })).toBe(false);
    expect(of({ name: 'other', kind: 'ClusterIssuer' })).toBe(true);
    expect(of({ name: 'own' }, [own('team', { ca: {} })])).toBe(false);
    expect(of({ name: 'own' }, [own('team', { acme: {} })])).toBe(true);
    expect(of({ name: 'own' }, [own('elsewhere', { ca: {} })])).toBe(true);
    expect(of({ name: 'own', kind: 'ClusterIssuer' }, [own('team', { ca: {} })])).toBe(true);
  });

  it('leaves out of its drift what an ACME server decides itself', () => {
    const drift = (issuers: Observation['issuers']): readonly string[] => {
      const changed = { ...certificate, spec: { ...certificate.spec, duration: '24h', usages: ['code signing'] } };
      const live = new Map([['Secret team/a-tls', liveSecret()]]);
      return plan({ certificates: [changed as LiveCertificate], issuers }, { live }).certificates[0]?.drift ?? [];
    };
    const all = drift([{ ...issuer, spec: { ca: {} } }]);
    expect(all).toEqual(expect.arrayContaining(['usages', 'duration']));
    expect(drift([issuer])).toEqual(all.filter((field) => field !== 'usages' && field !== 'duration'));
  });
});

describe('what a plan warns of', () => {
  const warnings = (parts: Partial<Observation>, snapshot: Snapshot = empty): string[] =>
    planRestore({ seen: observation({ now, ...parts }), live: new Map(), snapshot, recordedCertManager: '' }).warnings;

  it('is a request without an owner, which blocks a first renewal', () => {
    const request = (name: string, revision: string, owned: boolean): Observation['requests'][number] =>
      ({
        apiVersion: 'cert-manager.io/v1',
        kind: 'CertificateRequest',
        metadata: {
          namespace: 'team',
          name,
          annotations: { 'cert-manager.io/certificate-revision': revision },
          ...(owned ? { ownerReferences: [{ controller: true, uid: 'u', kind: 'Certificate', name: 'a' }] } : {}),
        },
        spec: {},
      }) as never;
    const requests = [request('left', '1', false), request('second', '2', false), request('own', '1', true)];
    expect(warnings({ requests })).toEqual([expect.stringMatching(/^CertificateRequest team\/left has no owner/)]);
  });

  it('is a cert-manager that is not ready, or of the version that orders again', () => {
    const { certManager } = observation();
    expect(warnings({ certManager: { ...certManager, state: 'unready' } }).join()).toContain('no available pod');
    expect(warnings({ certManager: { ...certManager, version: 'v1.19.0' } }).join()).toContain('1.19.1 does not');
    expect(warnings({ certManager: { ...certManager, version: 'v1.19.1' } })).toEqual([]);
    expect(warnings({ certManager: { ...certManager, doubt: 'odd' } })).toEqual(['odd']);
  });
});

describe('a Gateway that asks', () => {
  const gateway = {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {
      name: 'web',
      namespace: 'team',
      annotations: {
        'cert-manager.io/cluster-issuer': 'letsencrypt-prod',
        'cert-manager.io/private-key-algorithm': 'ECDSA',
      },
    },
    spec: {
      listeners: [
        {
          name: 'https',
          protocol: 'HTTPS',
          hostname: 'a.example.com',
          tls: { mode: 'Terminate', certificateRefs: [{ group: '', kind: 'Secret', name: 'a-tls' }] },
        },
      ],
    },
  };
  const seen = (gateways: boolean): Observation => {
    const plain = observation({
      now,
      issuers: [issuer],
      gateways: [gateway],
      groups: new Map([['acme.cert-manager.io', ['v1']]]),
    });
    const { certManager } = plain;
    const settings = { ...certManager.settings, shim: gateways ? { gateways } : {} };
    return { ...plain, certManager: { ...certManager, settings } };
  };

  it('is told where its Secret is nowhere, and kept where it is there', () => {
    const plan = (live: Map<string, LiveSecret>, gateways = true) =>
      planRestore({ seen: seen(gateways), live, snapshot: empty, recordedCertManager: '' });
    expect(plan(new Map())).toMatchObject({
      certificates: [{ name: 'a-tls', verdict: 'order', excused: 'standing' }],
    });
    const secret = liveSecret();
    secret.metadata.annotations = { ...secret.metadata.annotations, 'cert-manager.io/certificate-name': 'a-tls' };
    expect(plan(new Map([['Secret team/a-tls', secret]]))).toMatchObject({
      orders: 0,
      certificates: [{ verdict: 'keep' }],
    });
    expect(plan(new Map(), false).certificates).toEqual([]);
  });

  it('needs the brake, as whoever asks for what is written does', () => {
    const { metadata, data, type } = liveSecret();
    const object = { apiVersion: 'v1', kind: 'Secret', metadata, data, type };
    const snapshot: Snapshot = { ...empty, objects: [{ roles: ['tls'], object }] };
    const isNeeded = (gateways: boolean): boolean => {
      const input = { seen: seen(gateways), live: new Map(), snapshot, recordedCertManager: '' };
      return needsBrake(input.seen, planRestore(input));
    };
    expect([isNeeded(true), isNeeded(false)]).toEqual([true, false]);
  });
});
