import { createHash, type KeyObject } from 'node:crypto';
import type { Certificate } from '../../certificates/model.js';
import { certificatePem, keyPem, newKey } from '../../certificates/testing/fixtures.js';
import { objectOf } from '../../cluster/cluster.js';
import { type KubeObject, kinds } from '../../cluster/objects.js';

/** Keys are for many certificates: making one for each would take most of the time. */
const keys: readonly KeyObject[] = Array.from({ length: 8 }, () => newKey('P-256'));
const authority = newKey('P-256');
const hour = 3600_000;
export const day = 24 * hour;

/** How old a certificate is and how long it lives, in ms. */
export interface Age {
  age: number;
  life: number;
}

/** What an issuer would have put into the Secret of a Certificate. */
export interface Issued extends Age {
  certificate: KubeObject & Certificate;
  now: Date;
  /** Of the pair: with another one than the certificate's it is broken. */
  isBroken?: boolean;
  type?: string;
  /** Further values, in plain text. */
  more?: Record<string, string>;
}

/** The Secret that cert-manager keeps for a Certificate, with its annotations and label. */
export function issuedSecret({ certificate, now, age, life, isBroken = false, type, more = {} }: Issued): KubeObject {
  const { metadata, spec } = certificate;
  const digest = createHash('sha256').update(`${metadata.namespace}/${spec.secretName}`).digest();
  const key = keys[(digest[0] ?? 0) % keys.length];
  const other = keys[((digest[0] ?? 0) + 1) % keys.length];
  if (key === undefined || other === undefined) throw new Error('there are keys');
  const notBefore = new Date(now.getTime() - age);
  const pem = certificatePem({
    key,
    ...(spec.commonName === undefined ? {} : { commonName: spec.commonName }),
    dns: spec.dnsNames ?? [],
    serial: Buffer.concat([Buffer.from([1]), digest.subarray(1, 12)]),
    signer: { key: authority, name: [['2.5.4.3', 'Round Trip R1']] },
    notBefore,
    notAfter: new Date(notBefore.getTime() + life),
    ...(spec.isCA === true ? { isCa: true } : {}),
  });
  const data = { 'tls.crt': pem, 'tls.key': keyPem(isBroken ? other : key), ...more };
  return objectOf(kinds.secret, {
    metadata: {
      name: spec.secretName,
      namespace: metadata.namespace ?? '',
      labels: { 'controller.cert-manager.io/fao': 'true', ...spec.secretTemplate?.labels },
      annotations: {
        'cert-manager.io/certificate-name': metadata.name,
        'cert-manager.io/issuer-name': spec.issuerRef.name,
        'cert-manager.io/issuer-kind': spec.issuerRef.kind ?? 'Issuer',
        'cert-manager.io/issuer-group': spec.issuerRef.group ?? 'cert-manager.io',
        'cert-manager.io/common-name': spec.commonName ?? '',
        'cert-manager.io/alt-names': (spec.dnsNames ?? []).join(','),
        ...spec.secretTemplate?.annotations,
      },
    },
    type: type ?? 'kubernetes.io/tls',
    data: encoded(data),
  });
}

/** A pair that nobody issued for a Certificate: a CA's, or one that was put there by hand. */
export function handMade(name: string, namespace: string, now: Date): KubeObject {
  const key = keys[0];
  if (key === undefined) throw new Error('there are keys');
  const pem = certificatePem({
    key,
    commonName: name,
    isCa: true,
    notBefore: new Date(now.getTime() - 30 * day),
    notAfter: new Date(now.getTime() + 700 * day),
  });
  const data = encoded({ 'tls.crt': pem, 'tls.key': keyPem(key) });
  return objectOf(kinds.secret, { metadata: { name, namespace }, type: 'kubernetes.io/tls', data });
}

/** Plain values as a Secret's data. */
export function encoded(values: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
}
