import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { issuedSecret } from '../backup/testing/issued.js';
import { objectOf } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { holds, seed } from '../testing/law.js';
import { type ForecastInput, forecast } from './forecast.js';
import type { Certificate, CertificateSpec, Secret } from './model.js';
import { certificatePem, newKey } from './testing/fixtures.js';
import { certManagerVersion } from './version.js';
import { decodeLeaf } from './x509.js';

const hour = 3_600_000;
const start = new Date('2026-03-01T00:00:00Z');
const label = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const versions = fc.constantFrom('v1.16.5', 'v1.17.2', 'v1.18.2', 'v1.19.1', 'v1.20.0', 'v1.21.2');

/** A Certificate as people write them, of an ECDSA key, and how long its issuer lets it live. */
const wanted = fc.record({
  name: label,
  dnsNames: fc.uniqueArray(
    label.map((name) => `${name}.example.com`),
    { minLength: 1, maxLength: 5 },
  ),
  issuer: label,
  kind: fc.constantFrom('Issuer', 'ClusterIssuer'),
  life: fc.integer({ min: 48, max: 24 * 400 }),
  /** Share of the life that is over when it is renewed, in percent; none is cert-manager's own two thirds. */
  renewAt: fc.option(fc.integer({ min: 10, max: 90 }), { nil: undefined }),
  hasCommonName: fc.boolean(),
  version: versions,
});
type Wanted = typeof wanted extends fc.Arbitrary<infer T> ? T : never;

function restored(want: Wanted, now: Date): ForecastInput {
  const [first = ''] = want.dnsNames;
  const spec: CertificateSpec = {
    secretName: `${want.name}-tls`,
    dnsNames: want.dnsNames,
    privateKey: { algorithm: 'ECDSA', size: 256 },
    issuerRef: { name: want.issuer, kind: want.kind },
    ...(want.hasCommonName ? { commonName: first } : {}),
    ...(want.renewAt === undefined ? {} : { renewBefore: `${Math.ceil((want.life * (100 - want.renewAt)) / 100)}h` }),
  };
  const certificate = objectOf(kinds.certificate, {
    metadata: { name: want.name, namespace: 'blog' },
    spec,
  }) as KubeObject & Certificate;
  const age = now.getTime() - start.getTime();
  const secret = issuedSecret({ certificate, now, age, life: want.life * hour }) as unknown as Secret;
  return { certificate, secret, siblings: [certificate], requests: [], now, certManagerVersion: want.version };
}

const at = ({ life }: Wanted, percent: number): Date => new Date(start.getTime() + (life * hour * percent) / 100);

function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  for (const one of Object.values(value)) frozen(one);
  return Object.freeze(value);
}

describe(`the forecast (seed ${seed})`, () => {
  it('keeps a restored Secret until it is due, and orders from then on', () => {
    holds(
      fc.property(wanted, fc.integer({ min: 0, max: 99 }), (want, percent) => {
        const now = at(want, percent);
        const found = forecast(restored(want, now));
        if (found.due === undefined) throw new Error('a certificate that can be read is due some time');
        expect(found.due.getTime()).toBeGreaterThan(start.getTime());
        expect(found.due.getTime()).toBeLessThan(start.getTime() + want.life * hour);
        const isDue = now >= found.due;
        expect([found.verdict, found.reason]).toEqual(isDue ? ['order', 'Renewing'] : ['keep', undefined]);
      }),
      120,
    );
  });

  it('is due at a time that does not depend on when it is asked, and never goes back from order to keep', () => {
    holds(
      fc.property(wanted, fc.nat({ max: 120 }), fc.nat({ max: 120 }), (want, one, other) => {
        // The certificate stays: only the clock goes on.
        const input = restored(want, at(want, 1));
        const [early, late] = [Math.min(one, other), Math.max(one, other)].map((percent) =>
          forecast({ ...input, now: at(want, percent) }),
        );
        expect(early?.due).toEqual(late?.due);
        if (early?.verdict === 'order') expect(late?.verdict).toBe('order');
      }),
      80,
    );
  });

  it('changes nothing that it is given, and says the same again', () => {
    holds(
      fc.property(wanted, fc.nat({ max: 120 }), (want, percent) => {
        const input = frozen(restored(want, at(want, percent)));
        expect(forecast(input)).toEqual(forecast(input));
      }),
      30,
    );
  });

  it('orders whatever the Secret is that lost its certificate, its key, or cert-manager’s word on the issuer', () => {
    const broken = fc.constantFrom<(secret: Secret) => Secret | undefined>(
      () => undefined,
      ({ data: { 'tls.crt': _, ...data } = {}, ...rest }) => ({ ...rest, data }),
      ({ data: { 'tls.key': _, ...data } = {}, ...rest }) => ({ ...rest, data }),
      ({ data, ...rest }) => ({ ...rest, data: { ...data, 'tls.key': 'AAAA' } }),
      ({ metadata, ...rest }) => ({
        ...rest,
        metadata: {
          ...metadata,
          annotations: { ...metadata.annotations, 'cert-manager.io/issuer-name': 'somebody-else' },
        },
      }),
    );
    holds(
      fc.property(wanted, broken, (want, breaking) => {
        const input = restored(want, at(want, 1));
        if (input.secret === undefined) throw new Error('there is one');
        expect(forecast({ ...input, secret: breaking(input.secret) }).verdict).toBe('order');
      }),
      100,
    );
  });
});

describe(`a certificate that is damaged (seed ${seed})`, () => {
  const whole = certificatePem({
    key: newKey('P-256'),
    dns: ['a.example.com'],
    notBefore: start,
    notAfter: at({ life: 100 } as Wanted, 100),
  });
  const der = Buffer.from(whole.replace(/-----.*-----|\s/g, ''), 'base64');

  it('is read or refused, and never anything else', () => {
    holds(
      fc.property(fc.nat({ max: der.length - 1 }), fc.nat({ max: 255 }), fc.nat({ max: 3 }), (index, byte, cut) => {
        const changed = Buffer.from(der.subarray(0, der.length - cut));
        if (index < changed.length) changed.writeUInt8(byte, index);
        const pem = `-----BEGIN CERTIFICATE-----\n${changed.toString('base64')}\n-----END CERTIFICATE-----\n`;
        const found = decodeLeaf(Buffer.from(pem), certManagerVersion('v1.21.2'));
        expect(typeof found.ok).toBe('boolean');
        if (cut > 0) expect(found.ok).toBe(false);
      }),
      400,
    );
  });
});
