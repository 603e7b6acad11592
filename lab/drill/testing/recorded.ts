import type { CertificateRecord, Snapshot, SnapshotObject } from '../../../shared/backup/snapshot.js';
import { certificatePem, keyPem, newKey } from '../../../shared/certificates/testing/fixtures.js';
import type { LiveSecret } from '../../../shared/facts/secrets.js';

const encoded = (text: string): string => Buffer.from(text).toString('base64');

/** A Certificate as a backup records it, of the platform's ACME issuer unless the spec says otherwise. */
export function recordOf(
  name: string,
  { acme = true, ...spec }: Partial<CertificateRecord['spec']> & { acme?: boolean } = {},
): CertificateRecord {
  return {
    metadata: { name, namespace: 'team' },
    spec: {
      secretName: `${name}-tls`,
      dnsNames: [`${name}.example.com`],
      issuerRef: { name: 'letsencrypt-prod', kind: 'ClusterIssuer' },
      ...spec,
    },
    origin: 'explicit',
    acme,
  };
}

/** The TLS Secret of such a Certificate, with its own serial number, signed by its own key. */
export function tlsSecretOf(name: string, serial: string): LiveSecret {
  const key = newKey('P-256');
  const certificate = certificatePem({ key, dns: [`${name}.example.com`], serial: Buffer.from(serial, 'hex') });
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `${name}-tls`, namespace: 'team' },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': encoded(certificate), 'tls.key': encoded(keyPem(key)) },
  };
}

/** A Secret that holds a key of an issuer. */
export function keySecret(role: 'account-key' | 'ca-key', name: string, namespace = 'cert-manager'): SnapshotObject {
  return { roles: [role], object: { apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace } } };
}

export function snapshotOf(certificates: CertificateRecord[], objects: SnapshotObject[]): Snapshot {
  return { certificates, objects, ledger: [] };
}
