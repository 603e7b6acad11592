import { makeServerCertificate } from '../../lab/platform/certificate-authority.js';
import type { CertificateRecord, Snapshot } from '../../shared/backup/snapshot.js';
import { annotation } from '../../shared/certificates/model.js';
import { keyOf } from '../../shared/cluster/objects.js';
import { hasRole } from '../../shared/facts/roles.js';
import { asSecret, type LiveSecret } from '../../shared/facts/secrets.js';

/** A backup that is signed and sealed as it should be, and would not bring back one certificate. */
export interface Broken {
  name: string;
  alter(snapshot: Snapshot): Snapshot | Promise<Snapshot>;
  /** The one Certificate that the drill must name, what became of it, and cert-manager's reason. */
  certificate: string;
  outcome: 'ordered' | 'reissued';
  reason: string;
  /** What cert-manager's message, and the drill's explanation, must say. */
  message: RegExp;
  explanation: RegExp;
  /** Whether a restore refuses to write such a backup at all. */
  isRefused?: true;
}

const day = 24 * 3600_000;
const registry = { certificate: 'registry/registry-cert', secret: 'registry/registry-tls' };
const weather = { certificate: 'mcp-team-acme/weather-tls', secret: 'mcp-team-acme/weather-tls' };
const platform = {
  certificate: 'mcp-sentinel/mcp-sentinel-platform-tls',
  secret: 'mcp-sentinel/mcp-sentinel-platform-tls',
};
const internal = { certificate: 'registry/registry-internal-cert', secret: 'registry/registry-internal-tls' };

/** The first five are the ways that a small proof goes. */
export const brokenBackups: readonly Broken[] = [
  {
    name: 'a TLS Secret is missing',
    alter: (snapshot) => ({ ...snapshot, objects: snapshot.objects.filter((one) => !isTls(one, registry.secret)) }),
    certificate: registry.certificate,
    outcome: 'ordered',
    reason: 'DoesNotExist',
    message: /Secret does not exist/,
    explanation: /the backup holds no Secret registry\/registry-tls/,
  },
  {
    name: 'a private key is that of another certificate',
    alter: (snapshot) => {
      const key = tls(snapshot, registry.secret).data?.['tls.key'] ?? '';
      return withData(snapshot, weather.secret, (data) => ({ ...data, 'tls.key': key }));
    },
    certificate: weather.certificate,
    outcome: 'ordered',
    reason: 'InvalidKeyPair',
    message: /does not match/,
    explanation: /do not belong together.*refuses the whole backup/,
    isRefused: true,
  },
  {
    name: 'a certificate is for other names',
    alter: (snapshot) => withData(snapshot, platform.secret, () => tls(snapshot, weather.secret).data ?? {}),
    certificate: platform.certificate,
    outcome: 'ordered',
    reason: 'SecretMismatch',
    message: /spec\.dnsNames/,
    explanation: /lacks platform\.example\.com, .* and is for weather\.example\.com,/,
  },
  {
    name: 'a Secret says that another issuer issued it',
    alter: (snapshot) => withAnnotation(snapshot, weather.secret, annotation.issuerName, 'letsencrypt-staging'),
    certificate: weather.certificate,
    outcome: 'ordered',
    reason: 'IncorrectIssuer',
    message: /letsencrypt-staging/,
    explanation: /another issuer than ClusterIssuer letsencrypt-prod/,
  },
  {
    name: 'a certificate is due for renewal',
    alter: (snapshot) => withPair(snapshot, platform, { from: -85 * day, to: 5 * day }),
    certificate: platform.certificate,
    outcome: 'ordered',
    reason: 'Renewing',
    message: /renewal was scheduled/,
    explanation: /due for renewal, and ends 20/,
  },
  {
    name: 'a certificate has expired',
    alter: (snapshot) => withPair(snapshot, registry, { from: -91 * day, to: -day }),
    certificate: registry.certificate,
    outcome: 'ordered',
    reason: 'DoesNotExist',
    message: /Secret does not exist/,
    explanation: /did not write Secret registry\/registry-tls \(skip\): .*expired since/,
  },
  {
    name: 'a TLS Secret has no key',
    alter: (snapshot) => withData(snapshot, registry.secret, (data) => ({ ...data, 'tls.key': '' })),
    certificate: registry.certificate,
    outcome: 'ordered',
    reason: 'MissingData',
    message: /does not contain a private key/,
    explanation: /lacks the private key.*refuses the whole backup/,
    isRefused: true,
  },
  {
    name: 'a Certificate asks for a larger key',
    // Without a policy, cert-manager before 1.18 never makes another key: it asks for one, and waits for ever.
    alter: (snapshot) =>
      withSpec(snapshot, weather.certificate, {
        privateKey: { algorithm: 'RSA', size: 4096, rotationPolicy: 'Always' },
      }),
    certificate: weather.certificate,
    outcome: 'ordered',
    reason: 'SecretMismatch',
    message: /spec\.privateKey\.size/,
    explanation: /not what the Certificate asks for \(RSA 4096\)/,
  },
  {
    name: 'a Secret was issued for another Certificate',
    alter: (snapshot) => withAnnotation(snapshot, registry.secret, annotation.certificateName, 'old-registry-cert'),
    certificate: registry.certificate,
    outcome: 'ordered',
    reason: 'IncorrectCertificate',
    message: /old-registry-cert/,
    explanation: /issued for another Certificate than registry-cert/,
  },
  {
    name: 'a Certificate of the private CA asks for one more name',
    alter: (snapshot) =>
      withSpec(snapshot, internal.certificate, {
        dnsNames: [...(recordOf(snapshot, internal.certificate).spec.dnsNames ?? []), 'registry.svc'],
      }),
    certificate: internal.certificate,
    outcome: 'reissued',
    reason: 'SecretMismatch',
    message: /spec\.dnsNames/,
    explanation: /lacks registry\.svc, which its Certificate asks for$/,
  },
];

type Item = Snapshot['objects'][number];

function isTls(item: Item, key: string): boolean {
  return hasRole(item, 'tls') && keyOf(item.object.metadata) === key;
}

function tls({ objects }: Snapshot, key: string): LiveSecret {
  const found = objects.find((one) => isTls(one, key));
  if (found === undefined) throw new Error(`the backup has no TLS Secret ${key}`);
  return asSecret(found.object);
}

function recordOf({ certificates }: Snapshot, key: string): CertificateRecord {
  const found = certificates.find(({ metadata }) => keyOf(metadata) === key);
  if (found === undefined) throw new Error(`the backup has no Certificate ${key}`);
  return found;
}

function withTls(snapshot: Snapshot, key: string, change: (secret: LiveSecret) => LiveSecret): Snapshot {
  const changed = change(tls(snapshot, key));
  return { ...snapshot, objects: snapshot.objects.map((one) => (isTls(one, key) ? { ...one, object: changed } : one)) };
}

type Data = Readonly<Record<string, string>>;

function withData(snapshot: Snapshot, key: string, change: (data: Data) => Data): Snapshot {
  return withTls(snapshot, key, (secret) => ({ ...secret, data: change(secret.data ?? {}) }));
}

function withAnnotation(snapshot: Snapshot, key: string, name: string, value: string): Snapshot {
  return withTls(snapshot, key, ({ metadata, ...secret }) => ({
    ...secret,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [name]: value } },
  }));
}

function withSpec(snapshot: Snapshot, key: string, change: Partial<CertificateRecord['spec']>): Snapshot {
  const record = recordOf(snapshot, key);
  const changed = { ...record, spec: { ...record.spec, ...change } };
  return { ...snapshot, certificates: snapshot.certificates.map((one) => (one === record ? changed : one)) };
}

/** A pair with the right names and other times (in ms from now), and a Certificate that asks for its kind of key. */
async function withPair(
  snapshot: Snapshot,
  { certificate, secret }: { certificate: string; secret: string },
  { from, to }: { from: number; to: number },
): Promise<Snapshot> {
  const [first = '', ...rest] = recordOf(snapshot, certificate).spec.dnsNames ?? [];
  const [notBefore, notAfter] = [new Date(Date.now() + from), new Date(Date.now() + to)];
  const pair = await makeServerCertificate([first, ...rest], undefined, notAfter, notBefore);
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  const asked = withSpec(snapshot, certificate, { privateKey: { algorithm: 'ECDSA', size: 256 } });
  return withData(asked, secret, () => ({ 'tls.crt': encoded(pair.certificate), 'tls.key': encoded(pair.key) }));
}
