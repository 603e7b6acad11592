import { describe, expect, it } from '@jest/globals';
import { type ForecastInput, forecast } from './forecast.js';
import type { Certificate, CertificateSpec } from './model.js';
import { forecastCases, newBase, revisionRequest, tlsSecret } from './testing/cases.js';
import { certificatePem, keyPem, newKey, requestPem } from './testing/fixtures.js';

const base = newBase();
const cases = forecastCases(base);
const { due } = base.times;

function withSpec(spec: Partial<CertificateSpec>, status: Certificate['status'] = {}): ForecastInput {
  const certificate = { ...base.input.certificate, spec: { ...base.input.certificate.spec, ...spec }, status };
  return { ...base.input, certificate, siblings: [certificate] };
}

describe('the verdict that cert-manager v1.21.2 reached', () => {
  it.each(cases)('$name', ({ input, verdict, check, reason }) => {
    expect(forecast(input)).toMatchObject({ verdict, check, reason });
  });

  it('names are unique, so that a case can be named in a report', () => {
    expect(new Set(cases.map((one) => one.name)).size).toBe(cases.length);
  });
});

describe('what goes with a verdict', () => {
  it('a kept certificate has its due time and no reason', () => {
    expect(forecast(base.input)).toEqual({
      verdict: 'keep',
      check: undefined,
      reason: undefined,
      message: 'Certificate is up to date and has not expired',
      due,
      until: undefined,
      drift: [],
    });
  });

  it('an order has cert-manager’s message', () => {
    const message = (input: ForecastInput) => forecast(input).message;
    expect(message({ ...base.input, secret: undefined })).toBe('Issuing certificate as Secret does not exist');
    expect(message(withSpec({ issuerRef: { name: 'other' } }))).toBe(
      'Issuing certificate as Secret was previously issued by "ClusterIssuer.cert-manager.io/letsencrypt"',
    );
    expect(message(withSpec({ privateKey: { size: 4096 } }))).toBe(
      'Existing private key is not up to date for spec: [spec.privateKey.size]',
    );
    expect(message(withSpec({ dnsNames: ['x.org'], commonName: 'y.org', uris: ['spiffe://a'] }))).toBe(
      'Issuing certificate as Existing issued Secret is not up to date for spec: [spec.commonName spec.dnsNames spec.uris]',
    );
    expect(message({ ...base.input, now: due })).toBe('Renewing certificate as renewal was scheduled at <nil>');
    expect(message({ ...withSpec({}, { renewalTime: '2026-07-31T00:00:00Z' }), now: due })).toBe(
      'Renewing certificate as renewal was scheduled at 2026-07-31 00:00:00 +0000 UTC',
    );
  });

  it('a request that holds no key of a certificate is to blame, in Go’s words', () => {
    const requests = [revisionRequest(requestPem({ key: newKey('DSA') }))];
    expect(forecast({ ...withSpec({}, { revision: 1 }), requests })).toMatchObject({
      verdict: 'order',
      check: 7,
      reason: 'InvalidCertificateRequest',
      message: "CertificateRequest's public key is invalid: unrecognised public key type: *dsa.PublicKey",
    });
  });

  it('a blocked one says until when, and what would be ordered then', () => {
    const input = {
      ...withSpec({}, { lastFailureTime: '2026-06-10T23:30:00Z', failedIssuanceAttempts: 2 }),
      secret: undefined,
    };
    const found = forecast(input);
    expect(found).toMatchObject({ verdict: 'blocked', check: 1, until: new Date('2026-06-11T01:30:00Z') });
    expect(found.message).toContain(
      'will next be attempted at 2026-06-11T01:30:00.000Z: Issuing certificate as Secret does not exist',
    );
  });

  it('there is no due time without a readable leaf, nor where renewal is disabled', () => {
    expect(forecast({ ...base.input, secret: undefined }).due).toBeUndefined();
    expect(forecast(withSpec({ renewal: { policy: 'Disabled' } })).due).toBeUndefined();
  });

  it('a suggested renewal is the due time', () => {
    const start = '2026-07-01T00:00:00Z';
    const input = withSpec({}, { acme: { ari: { suggestedWindow: { start, end: '2026-07-03T00:00:00Z' } } } });
    expect(forecast({ ...input, renewalInfo: true }).due).toEqual(new Date(start));
    expect(forecast(input).due).toEqual(due);
  });

  it('a Certificate that is still to be created is younger than any other', () => {
    const { creationTimestamp: _created, ...metadata } = base.input.certificate.metadata;
    const certificate = { ...base.input.certificate, metadata };
    const secret = tlsSecret(keyPem(base.key), certificatePem(base.leaf), {});
    const other = { ...certificate, metadata: { ...metadata, name: 'zzz', creationTimestamp: '2026-06-10T00:00:00Z' } };
    expect(forecast({ ...base.input, certificate, secret, siblings: [other] }).verdict).toBe('not-owner');
  });
});

describe('drift that waits for the next renewal', () => {
  const drift = (spec: Partial<CertificateSpec>) => forecast(withSpec(spec)).drift;

  it('is named by field', () => {
    expect(drift({ usages: ['digital signature', 'client auth'] })).toEqual(['usages']);
    expect(drift({ duration: '720h' })).toEqual(['duration']);
    expect(drift({ isCA: true })).toEqual(['isCA']);
    expect(drift({ subject: { organizations: ['Example'] } })).toEqual(['subject']);
    expect(drift({ subject: { serialNumber: '7' } })).toEqual(['subject']);
    expect(drift({ literalSubject: 'CN=other' })).toEqual(['subject']);
    expect(drift({ privateKey: { encoding: 'PKCS8' } })).toEqual(['privateKey.encoding']);
  });

  it('is not what a CA may add or round', () => {
    expect(drift({ usages: ['signing', 'key encipherment'], duration: '2160h0m1s', subject: {} })).toEqual([]);
    expect([drift({ duration: '2160h1m' }), drift({ duration: '2160h1m1s' })]).toEqual([[], ['duration']]);
  });

  it('leaves out key encipherment for keys that cannot do it', () => {
    const leaf = { ...base.leaf, key: base.ecKey, usages: 1 };
    const input = withSpec({ privateKey: { algorithm: 'ECDSA' }, usages: ['digital signature', 'key encipherment'] });
    expect(forecast({ ...input, secret: tlsSecret(keyPem(base.ecKey), certificatePem(leaf)) })).toMatchObject({
      verdict: 'keep',
      drift: [],
    });
  });

  it('is a duration on one side only where the request is still there', () => {
    const csr = requestPem({ key: base.key, dns: base.input.certificate.spec.dnsNames ?? [] });
    const input = { ...withSpec({ duration: '720h' }, { revision: 1 }), requests: [revisionRequest(csr)] };
    expect(forecast(input)).toMatchObject({ verdict: 'keep', drift: ['duration'] });
  });
});

describe('older versions', () => {
  const at = (version: string, input: ForecastInput) => forecast({ ...input, certManagerVersion: version });
  const dueAt = (version: string, spec: Partial<CertificateSpec>) => at(version, withSpec(spec)).due?.toISOString();

  it('1.16.2 takes renewBeforePercentage the wrong way round', () => {
    expect(dueAt('1.16.2', { renewBeforePercentage: 10 })).toBe('2026-06-10T00:00:00.000Z');
    expect(dueAt('1.16.3', { renewBeforePercentage: 10 })).toBe('2026-08-21T00:00:00.000Z');
    expect(dueAt('1.17.0', { renewBeforePercentage: 10 })).toBe('2026-08-21T00:00:00.000Z');
  });

  it('until 1.20 the percentage of a long lifetime overflows', () => {
    const notAfter = new Date('2036-06-01T00:00:00Z');
    const secret = tlsSecret(keyPem(base.key), certificatePem({ ...base.leaf, notAfter }));
    const input = { ...withSpec({ renewBeforePercentage: 50 }), secret };
    expect(at('1.21.0', input).due).toEqual(new Date('2031-06-01T12:00:00Z'));
    expect(at('1.20.2', input).due?.getTime()).toBeGreaterThan(notAfter.getTime());
  });

  it('renewal policies and suggested windows are unknown before 1.21', () => {
    expect(at('1.20.2', { ...withSpec({ renewal: { policy: 'Disabled' } }), now: due })).toMatchObject({
      verdict: 'order',
      check: 9,
    });
    const window = { start: '2026-06-02T00:00:00Z', end: '2026-06-03T00:00:00Z' };
    const input = { ...withSpec({}, { acme: { ari: { suggestedWindow: window } } }), renewalInfo: true };
    expect(at('1.20.2', input).verdict).toBe('keep');
    expect(at('1.21.0', input).verdict).toBe('order');
  });

  it('until 1.18.2, and in 1.19.0, a spelled-out default in issuerRef is a change', () => {
    const csr = requestPem({ key: base.key, dns: base.input.certificate.spec.dnsNames ?? [] });
    const issuerRef = { name: 'letsencrypt', kind: 'ClusterIssuer', group: 'cert-manager.io' };
    const input = { ...withSpec({ issuerRef }, { revision: 1 }), requests: [revisionRequest(csr)] };
    expect(at('1.19.0', input)).toMatchObject({ verdict: 'order', reason: 'RequestChanged' });
    expect(at('1.18.2', input)).toMatchObject({ verdict: 'order', reason: 'RequestChanged' });
    expect(at('1.18.3', input)).toMatchObject({ verdict: 'keep' });
    expect(at('1.19.1', input)).toMatchObject({ verdict: 'keep' });
  });

  it('until 1.19 a province is reported under another name', () => {
    const csr = requestPem({ key: base.key, dns: base.input.certificate.spec.dnsNames ?? [] });
    const input = {
      ...withSpec({ subject: { provinces: ['Berlin'] } }, { revision: 1 }),
      requests: [revisionRequest(csr)],
    };
    expect(at('1.19.1', input).message).toContain('[spec.subject.postCodes]');
    expect(at('1.20.0', input).message).toContain('[spec.subject.provinces]');
  });

  it('1.16 reads shorter chains, and requests grew with 1.18.3', () => {
    const long = tlsSecret(keyPem(base.key), certificatePem(base.leaf) + 'x'.repeat(65_000));
    expect(at('1.16.2', { ...base.input, secret: long })).toMatchObject({
      verdict: 'order',
      reason: 'InvalidCertificate',
    });
    expect(at('1.17.0', { ...base.input, secret: long })).toMatchObject({ verdict: 'keep' });
    const csr = requestPem({ key: base.key, dns: base.input.certificate.spec.dnsNames ?? [] }) + 'x'.repeat(6_500);
    const input = { ...withSpec({}, { revision: 1 }), requests: [revisionRequest(csr)] };
    expect(at('1.18.2', input)).toMatchObject({ verdict: 'order', reason: 'InvalidCertificateRequest' });
    expect(at('1.18.3', input)).toMatchObject({ verdict: 'keep' });
    expect(at('1.19.0', input)).toMatchObject({ verdict: 'keep' });
  });

  it('what cert-manager does not survive is blocked, and says so', () => {
    const window = { cron: '0 0 * * *', windowDuration: '1h' };
    const crash = (renewal: object): unknown => at('1.21.2', withSpec({ renewal }));
    const blocked = (why: string): object => ({
      verdict: 'blocked',
      check: undefined,
      reason: 'ControllerCrash',
      message: expect.stringContaining(`crashes on this Certificate, and issues nothing for any other: ${why}`),
    });
    expect(crash({ windows: [window] })).toMatchObject(blocked('unsupported renewal policy'));
    expect(crash({ policy: 'RenewBefore', windows: [{ ...window, cron: 'x' }] })).toMatchObject(
      blocked('error parsing cron'),
    );
    expect(crash({ policy: 'RenewBefore', windows: [{ cron: '0 0 * * *' }] })).toMatchObject(blocked('windowDuration'));
    expect(at('1.20.2', withSpec({ renewal: { windows: [window] } })).verdict).toBe('keep');
  });

  it('a size of no key is none', () => {
    expect(at('1.21.2', withSpec({ privateKey: { size: -1 } })).verdict).toBe('keep');
  });

  it('1.16 still issues for a Certificate that is being deleted', () => {
    const metadata = { ...base.input.certificate.metadata, deletionTimestamp: '2026-06-11T00:00:00Z' };
    const input = { ...base.input, certificate: { ...base.input.certificate, metadata }, secret: undefined };
    expect(at('1.16.2', input).verdict).toBe('order');
    expect(at('1.17.0', input).verdict).toBe('keep');
  });
});
