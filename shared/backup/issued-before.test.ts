import { describe, expect, it } from '@jest/globals';
import { exactSetBudget, identifierKey, withRefusal } from '../certificates/budget.js';
import { certificatePem, newKey, requestPem } from '../certificates/testing/fixtures.js';
import type { KubeObject } from '../cluster/objects.js';
import type { LiveCertificate, LiveRequest } from '../facts/observation.js';
import { asSecret } from '../facts/secrets.js';
import { observation } from '../facts/testing/observation.js';
import { issuedBefore, refusedByCa } from './issued-before.js';

const now = new Date('2026-11-24T12:00:00Z');
const hour = 3600_000;
const key = newKey('P-256');
const names = ['a.example.com'];

const pemOf = (serial: number, hours: number): string =>
  certificatePem({
    key,
    dns: names,
    serial: Buffer.from([serial]),
    notBefore: new Date(now.getTime() - hours * hour),
    notAfter: new Date(now.getTime() + 80 * 24 * hour),
  });
const issuerOf = (acme: boolean): KubeObject & { spec: Record<string, unknown> } => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: { name: 'le' },
  spec: acme ? { acme: {} } : { ca: {} },
});
const issuerRef = { name: 'le', kind: 'ClusterIssuer' };
const certificate = (message = ''): LiveCertificate =>
  ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: 'a', namespace: 'team', uid: 'u1' },
    spec: { secretName: 'a-tls', dnsNames: names, issuerRef },
    status: { conditions: [{ type: 'Issuing', status: 'False', message }] },
  }) as LiveCertificate;
const request = (serial: number, hours: number, message = ''): LiveRequest =>
  ({
    apiVersion: 'cert-manager.io/v1',
    kind: 'CertificateRequest',
    metadata: { name: `r${serial}`, namespace: 'team', ownerReferences: [{ uid: 'u1', controller: true }] },
    spec: { request: Buffer.from(requestPem({ key, dns: names })).toString('base64'), issuerRef },
    status: {
      ...(serial === 0 ? {} : { certificate: Buffer.from(pemOf(serial, hours)).toString('base64') }),
      conditions: [{ type: 'Ready', status: 'False', message }],
    },
  }) as unknown as LiveRequest;
const secrets = new Map([
  [
    'team/a-tls',
    asSecret({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'a-tls', namespace: 'team' },
      data: { 'tls.crt': Buffer.from(pemOf(9, 1)).toString('base64') },
    }),
  ],
]);

describe('what was issued before', () => {
  it('is told by the Secrets and by what cert-manager keeps of its requests, of ACME issuers', () => {
    const requests = [request(7, 30), request(8, 20), request(9, 1), request(0, 0)];
    const seen = observation({ now, certificates: [certificate()], requests, issuers: [issuerOf(true)] });
    const ledger = issuedBefore(seen, secrets).map((entry) => ({ ...entry, at: new Date(entry.at) }));
    expect(exactSetBudget(names, ledger, now)).toMatchObject({ used: 3, left: 2 });
    expect(issuedBefore(observation({ ...seen, issuers: [issuerOf(false)] }), secrets)).toEqual([]);
  });
});

describe('what the CA has refused', () => {
  const told = '429 rateLimited: too many certificates (5) already issued, retry after 2026-11-25 14:44:38 UTC';
  const until = new Date('2026-11-25T14:44:38Z');

  it.each([
    ['the Certificate', certificate(told), []],
    ['its request', certificate(), [request(0, 0, `order is in "errored" state: ${told}`)]],
  ])('is told by %s', (_, one, requests) => {
    const seen = observation({ now, certificates: [one], requests, issuers: [issuerOf(true)] });
    expect(refusedByCa(seen)).toEqual(new Map([[identifierKey(names), until]]));
  });

  it('leaves nothing until then, whatever the ledger knows', () => {
    const budget = exactSetBudget(names, [], now);
    expect(withRefusal(budget, until, now)).toEqual({ used: 5, left: 0, nextRefill: until });
    expect(withRefusal(budget, new Date(now.getTime() - 1), now)).toEqual(budget);
    expect(withRefusal(budget, undefined, now)).toEqual(budget);
  });
});
