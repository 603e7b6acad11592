import { describe, expect, it } from '@jest/globals';
import { certificatePem, keyPem, newKey } from '../certificates/testing/fixtures.js';
import type { KubeObject } from '../cluster/objects.js';
import type { LiveCertificate, Observation } from '../facts/observation.js';
import { asSecret, type LiveSecret } from '../facts/secrets.js';
import { observation } from '../facts/testing/observation.js';
import { planRestore } from './plan.js';
import type { Snapshot } from './snapshot.js';

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

function liveSecret(): LiveSecret {
  const key = newKey('P-256');
  const pem = certificatePem({
    key,
    dns: ['a.example.com'],
    notBefore: new Date(now.getTime() - 10 * day),
    notAfter: new Date(now.getTime() + 80 * day),
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
