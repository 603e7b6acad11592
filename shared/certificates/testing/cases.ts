/**
 * Forecast cases with the verdict that cert-manager v1.21.2 reached on each of them. The unit test runs the forecast over them, and
 * a lab can run the real controllers over the same objects. Keys are made anew in each process.
 */
import type { KeyObject } from 'node:crypto';
import type { Forecast, ForecastInput } from '../forecast.js';
import type { Certificate, CertificateRequest, CertificateSpec, Secret } from '../model.js';
import { type CertificateOptions, certificatePem, keyPem, newKey, pem, requestPem } from './fixtures.js';

/** One case. `check` and `reason` are undefined where cert-manager sets no Issuing condition. */
export interface ForecastCase {
  readonly name: string;
  readonly input: ForecastInput;
  readonly verdict: Forecast['verdict'];
  readonly check?: Forecast['check'];
  readonly reason?: string;
}

/** The times that cases are built around. */
export interface Times {
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Two thirds of the lifetime. */
  readonly due: Date;
  readonly dayTen: Date;
}

const hour = 3_600_000;
const lifetime = 90;

/** The times of a certificate of 90 days. */
export function timesFrom(notBefore: Date): Times {
  const day = (count: number) => new Date(notBefore.getTime() + count * 24 * hour);
  return { notBefore, notAfter: day(lifetime), due: day((lifetime * 2) / 3), dayTen: day(10) };
}

/** The objects that most cases vary: a ClusterIssuer's certificate for two names, RSA-2048, on day 10 of 90. */
export interface Base {
  readonly times: Times;
  readonly key: KeyObject;
  readonly otherKey: KeyObject;
  readonly ecKey: KeyObject;
  /** Keys that a few cases use, made when the first of them asks. */
  readonly oddKey: (kind: Parameters<typeof newKey>[0]) => KeyObject;
  readonly leaf: CertificateOptions;
  readonly input: ForecastInput;
}

const names = ['registry.example.org', 'mcp.example.org'];

/** Builds the base objects with fresh keys. */
export function newBase(): Base {
  const made = new Map<string, KeyObject>();
  const oddKey: Base['oddKey'] = (kind) => {
    const key = made.get(kind) ?? newKey(kind);
    made.set(kind, key);
    return key;
  };
  const keys = { key: newKey('RSA-2048'), otherKey: newKey('RSA-2048'), ecKey: newKey('P-256'), oddKey };
  return baseAt(new Date('2026-06-01T00:00:00Z'), keys);
}

/** The same objects at another time: certificates cannot be moved, so they are made anew over the same keys. */
export function baseAt(start: Date, keys: Pick<Base, 'key' | 'otherKey' | 'ecKey' | 'oddKey'>): Base {
  const { key, otherKey, ecKey, oddKey } = keys;
  const times = timesFrom(start);
  const { notBefore, notAfter, dayTen } = times;
  const leaf: CertificateOptions = {
    key,
    commonName: 'registry.example.org',
    dns: names,
    notBefore,
    notAfter,
    usages: 0b101,
  };
  const certificate: Certificate = {
    metadata: { name: 'registry-cert', namespace: 'registry', uid: 'uid-1', creationTimestamp: '2026-06-10T00:00:00Z' },
    spec: { secretName: 'registry-tls', dnsNames: names, issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' } },
  };
  const input: ForecastInput = {
    certificate,
    secret: tlsSecret(keyPem(key), certificatePem(leaf)),
    siblings: [certificate],
    requests: [],
    now: dayTen,
    certManagerVersion: 'v1.21.2',
  };
  return { times, key, otherKey, ecKey, oddKey, leaf, input };
}

/** A Secret as cert-manager leaves it. */
export function tlsSecret(key: string | Buffer, certificate: string | Buffer, annotations = issuedAnnotations): Secret {
  return {
    metadata: {
      name: 'registry-tls',
      namespace: 'registry',
      annotations,
      labels: { 'controller.cert-manager.io/fao': 'true' },
    },
    type: 'kubernetes.io/tls',
    data: { 'tls.key': base64(key), 'tls.crt': base64(certificate) },
  };
}

const issuedAnnotations: Readonly<Record<string, string>> = {
  'cert-manager.io/certificate-name': 'registry-cert',
  'cert-manager.io/issuer-name': 'letsencrypt',
  'cert-manager.io/issuer-kind': 'ClusterIssuer',
  'cert-manager.io/issuer-group': 'cert-manager.io',
};

function base64(content: string | Buffer): string {
  return Buffer.from(content).toString('base64');
}

/** The request of one revision, controlled by the base Certificate. */
export function revisionRequest(
  csr: string,
  fields: { readonly revision?: number; readonly uid?: string; readonly name?: string } & Partial<
    CertificateRequest['spec']
  > = {},
): CertificateRequest {
  const { revision = 1, uid = 'uid-1', name = `registry-cert-${revision}`, ...spec } = fields;
  return {
    metadata: {
      name,
      namespace: 'registry',
      annotations: { 'cert-manager.io/certificate-revision': String(revision) },
      ownerReferences: [
        { apiVersion: 'cert-manager.io/v1', kind: 'Certificate', name: 'registry-cert', uid, controller: true },
      ],
    },
    spec: { request: base64(csr), issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer' }, ...spec },
  };
}

/** All cases over one base. */
export function forecastCases(base: Base): ForecastCase[] {
  return [
    ...secretCases(base),
    ...pemCases(base),
    ...keyCases(base),
    ...issuerCases(base),
    ...specCases(base),
    ...requestCases(base),
    ...renewalCases(base),
    ...stateCases(base),
  ];
}

type Expected = Pick<ForecastCase, 'verdict' | 'check' | 'reason'>;
const keep: Expected = { verdict: 'keep' };
const order = (check: NonNullable<Forecast['check']>, reason: string): Expected => ({
  verdict: 'order',
  check,
  reason,
});

function withSpec(base: Base, spec: Partial<CertificateSpec>): ForecastInput {
  return withCertificate(base, { spec: { ...base.input.certificate.spec, ...spec } });
}

function withCertificate(base: Base, changes: Partial<Certificate>): ForecastInput {
  const certificate = { ...base.input.certificate, ...changes };
  return { ...base.input, certificate, siblings: [certificate] };
}

function withSecret(base: Base, secret: Secret | undefined): ForecastInput {
  return { ...base.input, secret };
}

function withPems(base: Base, key: string | Buffer, certificate: string | Buffer): ForecastInput {
  return withSecret(base, tlsSecret(key, certificate));
}

function withLeaf(base: Base, leaf: Partial<CertificateOptions>, spec: Partial<CertificateSpec> = {}): ForecastInput {
  const options = { ...base.leaf, ...leaf };
  const input = withSpec(base, spec);
  return { ...input, secret: tlsSecret(keyPem(options.key), certificatePem(options)) };
}

function withAnnotations(
  base: Base,
  annotations: Readonly<Record<string, string>>,
  spec: Partial<CertificateSpec> = {},
): ForecastInput {
  return { ...withSpec(base, spec), secret: tlsSecret(keyPem(base.key), certificatePem(base.leaf), annotations) };
}

function secretCases(base: Base): ForecastCase[] {
  const key = keyPem(base.key);
  const crt = certificatePem(base.leaf);
  const full = tlsSecret(key, crt);
  const { data: _data, ...withoutData } = full;
  const { labels: _labels, ...withoutLabels } = full.metadata;
  return [
    { name: 'nothing changed', input: base.input, ...keep },
    { name: 'Secret absent', input: withSecret(base, undefined), ...order(1, 'DoesNotExist') },
    { name: 'Secret without data', input: withSecret(base, withoutData), ...order(2, 'MissingData') },
    { name: 'tls.key empty', input: withPems(base, '', crt), ...order(2, 'MissingData') },
    { name: 'tls.crt empty', input: withPems(base, key, ''), ...order(2, 'MissingData') },
    {
      name: 'tls.key missing',
      input: withSecret(base, { ...full, data: { 'tls.crt': base64(crt) } }),
      ...order(2, 'MissingData'),
    },
    {
      name: 'extra keys',
      input: withSecret(base, { ...full, data: { ...full.data, 'ca.crt': '', 'key.der': 'AAAA' } }),
      ...keep,
    },
    { name: 'Opaque type', input: withSecret(base, { ...full, type: 'Opaque' }), ...keep },
    { name: 'fao label missing', input: withSecret(base, { ...full, metadata: withoutLabels }), ...keep },
  ];
}

function pemCases(base: Base): ForecastCase[] {
  const key = keyPem(base.key);
  const crt = certificatePem(base.leaf);
  const authority = certificatePem({ key: base.ecKey, commonName: 'Test CA', isCa: true });
  const bom = '\ufeff';
  const crlf = (text: string) => text.replaceAll('\n', '\r\n');
  const twice = (text: string) => base64(text);
  const bag = 'Bag Attributes\n    friendlyName: registry\nsubject=CN = registry\n';
  const broken = (text: string) => text.replace(/^(.+\n)(.{4})/, '$1!!!!');
  return [
    { name: 'CRLF', input: withPems(base, crlf(key), crlf(crt)), ...keep },
    { name: 'no trailing newline', input: withPems(base, key.trimEnd(), crt.trimEnd()), ...keep },
    { name: 'trailing junk', input: withPems(base, `${key}junk\n`, `${crt}\njunk: here\n`), ...keep },
    { name: 'leading text lines', input: withPems(base, `notes\n${key}`, `notes\n${crt}`), ...keep },
    { name: 'bag attributes', input: withPems(base, bag + key, bag + crt), ...keep },
    {
      name: 'blanks at line ends',
      input: withPems(base, key.replaceAll('\n', ' \t\n'), crt.replaceAll('\n', '  \n')),
      ...keep,
    },
    { name: 'blanks inside base64', input: withPems(base, key, crt.replace(/(\n.{10})/, '$1 \t')), ...keep },
    {
      name: 'headers in the block',
      input: withPems(base, key, crt.replace('-----\n', '-----\nComment: x\n\n')),
      ...keep,
    },
    { name: 'leaf and intermediate', input: withPems(base, key, crt + authority), ...keep },
    { name: 'leaf and 40 more', input: withPems(base, key, crt + authority.repeat(40)), ...keep },
    { name: 'intermediate first', input: withPems(base, key, authority + crt), ...order(3, 'InvalidKeyPair') },
    { name: 'other key', input: withPems(base, keyPem(base.otherKey), crt), ...order(3, 'InvalidKeyPair') },
    { name: 'key and certificate swapped', input: withPems(base, crt, key), ...order(3, 'InvalidKeyPair') },
    { name: 'certificate garbage', input: withPems(base, key, 'garbage'), ...order(3, 'InvalidCertificate') },
    { name: 'key garbage', input: withPems(base, 'garbage', crt), ...order(3, 'InvalidKeyPair') },
    { name: 'certificate with BOM', input: withPems(base, key, bom + crt), ...order(3, 'InvalidCertificate') },
    { name: 'chain with BOM', input: withPems(base, key, bom + crt + authority), ...order(3, 'InvalidKeyPair') },
    { name: 'key with BOM', input: withPems(base, bom + key, crt), ...order(3, 'InvalidKeyPair') },
    { name: 'certificate base64 twice', input: withPems(base, key, twice(crt)), ...order(3, 'InvalidCertificate') },
    { name: 'key base64 twice', input: withPems(base, twice(key), crt), ...order(3, 'InvalidKeyPair') },
    {
      name: 'key before certificate in tls.crt',
      input: withPems(base, key, key + crt),
      ...order(3, 'InvalidCertificate'),
    },
    {
      name: 'key after certificate in tls.crt',
      input: withPems(base, key, crt + key),
      ...order(3, 'InvalidCertificate'),
    },
    { name: 'certificate after key in tls.key', input: withPems(base, key + crt, crt), ...keep },
    { name: 'certificate before key in tls.key', input: withPems(base, crt + key, crt), ...order(3, 'InvalidKeyPair') },
    {
      name: 'certificate as DER',
      input: withPems(base, key, Buffer.from('3003020101', 'hex')),
      ...order(3, 'InvalidCertificate'),
    },
    {
      name: 'certificate cut short',
      input: withPems(base, key, pem('CERTIFICATE', derOf(crt).subarray(0, -5))),
      ...order(3, 'InvalidCertificate'),
    },
    {
      name: 'certificate with a trailing byte',
      input: withPems(base, key, pem('CERTIFICATE', Buffer.concat([derOf(crt), Buffer.alloc(1)]))),
      ...order(3, 'InvalidCertificate'),
    },
    {
      name: 'certificate under another label',
      input: withPems(base, key, pem('TRUSTED CERTIFICATE', derOf(crt))),
      ...keep,
    },
    {
      name: 'broken base64 in the only certificate',
      input: withPems(base, key, broken(crt)),
      ...order(3, 'InvalidCertificate'),
    },
    { name: 'broken base64 before a good certificate', input: withPems(base, key, broken(crt) + crt), ...keep },
    {
      name: 'END line with text behind it',
      input: withPems(base, key, crt.replace(/-----\n$/, '----- x\n')),
      ...order(3, 'InvalidCertificate'),
    },
    { name: 'indented', input: withPems(base, key, crt.replace(/^/gm, ' ')), ...order(3, 'InvalidCertificate') },
    { name: 'BEGIN line twice', input: withPems(base, key, `-----BEGIN CERTIFICATE-----\n${crt}`), ...keep },
    {
      name: 'certificates over the cap',
      input: withPems(base, key, crt + 'x'.repeat(330_001 - crt.length)),
      ...order(3, 'InvalidCertificate'),
    },
    { name: 'certificates at the cap', input: withPems(base, key, crt + 'x'.repeat(330_000 - crt.length)), ...keep },
    {
      name: 'key over the cap',
      input: withPems(base, key + 'x'.repeat(13_001 - key.length), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    { name: 'key at the cap', input: withPems(base, key + 'x'.repeat(13_000 - key.length), crt), ...keep },
  ];
}

function derOf(pemText: string): Buffer {
  return Buffer.from(pemText.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}

function keyCases(base: Base): ForecastCase[] {
  const { key, ecKey } = base;
  const crt = certificatePem(base.leaf);
  const ecLeaf = { ...base.leaf, key: ecKey };
  const ecSpec = { privateKey: { algorithm: 'ECDSA' } } as const;
  const withEc = (privatePem: string): ForecastInput => ({
    ...withSpec(base, ecSpec),
    secret: tlsSecret(privatePem, certificatePem(ecLeaf)),
  });
  const relabel = (text: string, from: string, to: string) => text.replaceAll(`${from}-----`, `${to}-----`);
  const parameters = pem('EC PARAMETERS', Buffer.from('06082a8648ce3d030107', 'hex'));
  const encrypted = key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  const legacy = key.export({ type: 'pkcs1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }).toString();
  const p384 = base.oddKey('P-384');
  const p521 = base.oddKey('P-521');
  const p224 = base.oddKey('P-224');
  const ed25519 = base.oddKey('Ed25519');
  const x25519 = base.oddKey('X25519');
  const odd = base.oddKey('secp256k1');
  const small = base.oddKey('RSA-1024');
  const dsa = base.oddKey('DSA');
  const pss = base.oddKey('RSA-PSS');
  const tampered = derOf(keyPem(key));
  tampered[tampered.length - 1] = (tampered.at(-1) ?? 0) ^ 1;
  return [
    { name: 'PKCS8 key', input: withPems(base, keyPem(key, 'pkcs8'), crt), ...keep },
    {
      name: 'PKCS8 body labelled RSA',
      input: withPems(base, relabel(keyPem(key, 'pkcs8'), 'PRIVATE KEY', 'RSA PRIVATE KEY'), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    {
      name: 'PKCS1 body labelled PKCS8',
      input: withPems(base, relabel(keyPem(key), 'RSA PRIVATE KEY', 'PRIVATE KEY'), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    {
      name: 'PKCS1 body labelled EC',
      input: withPems(base, relabel(keyPem(key), 'RSA PRIVATE KEY', 'EC PRIVATE KEY'), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    { name: 'encrypted PKCS8', input: withPems(base, encrypted, crt), ...order(3, 'InvalidKeyPair') },
    { name: 'encrypted the old way', input: withPems(base, legacy, crt), ...order(3, 'InvalidKeyPair') },
    {
      name: 'RSA numbers that do not fit',
      input: withPems(base, pem('RSA PRIVATE KEY', tampered), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    {
      name: 'RSA key with a trailing byte',
      input: withPems(base, pem('RSA PRIVATE KEY', Buffer.concat([derOf(keyPem(key)), Buffer.alloc(1)])), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    {
      name: 'PKCS8 key with a trailing byte',
      input: withPems(base, pem('PRIVATE KEY', Buffer.concat([derOf(keyPem(key, 'pkcs8')), Buffer.alloc(1)])), crt),
      ...keep,
    },
    { name: 'SEC1 key', input: withEc(keyPem(ecKey)), ...keep },
    { name: 'EC key as PKCS8', input: withEc(keyPem(ecKey, 'pkcs8')), ...keep },
    { name: 'EC PARAMETERS before the key', input: withEc(parameters + keyPem(ecKey)), ...order(3, 'InvalidKeyPair') },
    {
      name: 'SEC1 body labelled PKCS8',
      input: withEc(relabel(keyPem(ecKey), 'EC PRIVATE KEY', 'PRIVATE KEY')),
      ...order(3, 'InvalidKeyPair'),
    },
    {
      name: 'SEC1 body labelled RSA',
      input: withEc(relabel(keyPem(ecKey), 'EC PRIVATE KEY', 'RSA PRIVATE KEY')),
      ...order(3, 'InvalidKeyPair'),
    },
    { name: 'ECDSA key, RSA by default', input: withLeaf(base, { key: ecKey }), ...order(6, 'SecretMismatch') },
    { name: 'spec RSA-4096', input: withSpec(base, { privateKey: { size: 4096 } }), ...order(6, 'SecretMismatch') },
    {
      name: 'spec RSA-2048 spelled out',
      input: withSpec(base, { privateKey: { algorithm: 'RSA', size: 2048 } }),
      ...keep,
    },
    { name: 'spec PKCS8 over a PKCS1 key', input: withSpec(base, { privateKey: { encoding: 'PKCS8' } }), ...keep },
    { name: 'spec ECDSA', input: withSpec(base, ecSpec), ...order(6, 'SecretMismatch') },
    { name: 'RSA-1024', input: withLeaf(base, { key: small }), ...order(6, 'SecretMismatch') },
    { name: 'P-384, size by default', input: withLeaf(base, { key: p384 }, ecSpec), ...order(6, 'SecretMismatch') },
    {
      name: 'P-384 wanted',
      input: withLeaf(base, { key: p384 }, { privateKey: { algorithm: 'ECDSA', size: 384 } }),
      ...keep,
    },
    {
      name: 'P-521 wanted',
      input: withLeaf(base, { key: p521 }, { privateKey: { algorithm: 'ECDSA', size: 521 } }),
      ...keep,
    },
    { name: 'P-224', input: withLeaf(base, { key: p224 }, ecSpec), ...order(6, 'SecretMismatch') },
    {
      name: 'Ed25519 wanted',
      input: withLeaf(base, { key: ed25519 }, { privateKey: { algorithm: 'Ed25519', size: 4096 } }),
      ...keep,
    },
    { name: 'Ed25519, RSA by default', input: withLeaf(base, { key: ed25519 }), ...order(6, 'SecretMismatch') },
    { name: 'secp256k1', input: withLeaf(base, { key: odd }, ecSpec), ...order(3, 'InvalidKeyPair') },
    {
      name: 'secp256k1 certificate',
      input: withPems(base, keyPem(key), certificatePem({ ...base.leaf, key: odd })),
      ...order(3, 'InvalidCertificate'),
    },
    { name: 'X25519', input: withPems(base, keyPem(x25519), crt), ...order(3, 'InvalidKeyPair') },
    { name: 'DSA key', input: withPems(base, keyPem(dsa, 'pkcs8'), crt), ...order(3, 'InvalidKeyPair') },
    {
      name: 'DSA key labelled DSA',
      input: withPems(base, relabel(keyPem(dsa, 'pkcs8'), 'PRIVATE KEY', 'DSA PRIVATE KEY'), crt),
      ...order(3, 'InvalidKeyPair'),
    },
    {
      name: 'DSA certificate',
      input: withPems(base, keyPem(key), certificatePem({ ...base.leaf, key: dsa, signer: authorityOf(base) })),
      ...order(3, 'InvalidKeyPair'),
    },
    { name: 'RSA-PSS key', input: withPems(base, keyPem(pss, 'pkcs8'), crt), ...order(3, 'InvalidKeyPair') },
    {
      name: 'RSA-PSS certificate',
      input: withPems(base, keyPem(key), certificatePem({ ...base.leaf, key: pss, signer: authorityOf(base) })),
      ...order(3, 'InvalidKeyPair'),
    },
  ];
}

function authorityOf(base: Base): NonNullable<CertificateOptions['signer']> {
  return { key: base.ecKey, name: [['2.5.4.3', 'Test CA']] };
}

function issuerCases(base: Base): ForecastCase[] {
  const { 'cert-manager.io/certificate-name': certificateName = '', ...issuer } = issuedAnnotations;
  const own = { 'cert-manager.io/certificate-name': certificateName };
  const name = { 'cert-manager.io/issuer-name': 'letsencrypt' };
  const kind = { 'cert-manager.io/issuer-kind': 'ClusterIssuer' };
  const group = { 'cert-manager.io/issuer-group': 'cert-manager.io' };
  const namespaced = { issuerRef: { name: 'letsencrypt' } };
  const wrong = order(4, 'IncorrectIssuer');
  return [
    { name: 'certificate-name missing', input: withAnnotations(base, issuer), ...keep },
    { name: 'all annotations missing', input: withAnnotations(base, {}), ...wrong },
    { name: 'issuer annotations missing', input: withAnnotations(base, own), ...wrong },
    { name: 'issuer annotations missing, namespaced Issuer', input: withAnnotations(base, own, namespaced), ...keep },
    {
      name: 'issuer annotations missing, kind Issuer spelled out',
      input: withAnnotations(base, own, {
        issuerRef: { name: 'letsencrypt', kind: 'Issuer', group: 'cert-manager.io' },
      }),
      ...keep,
    },
    { name: 'only kind missing', input: withAnnotations(base, { ...own, ...name, ...group }), ...wrong },
    { name: 'only name missing', input: withAnnotations(base, { ...own, ...kind, ...group }), ...wrong },
    { name: 'only kind present', input: withAnnotations(base, { ...own, ...kind }), ...wrong },
    {
      name: 'only group present, namespaced Issuer',
      input: withAnnotations(base, { ...own, ...group }, namespaced),
      ...wrong,
    },
    { name: 'group missing', input: withAnnotations(base, { ...own, ...name, ...kind }), ...keep },
    {
      name: 'group empty',
      input: withAnnotations(base, { ...own, ...name, ...kind, 'cert-manager.io/issuer-group': '' }),
      ...keep,
    },
    {
      name: 'other group',
      input: withAnnotations(base, { ...issuedAnnotations, 'cert-manager.io/issuer-group': 'example.org' }),
      ...wrong,
    },
    {
      name: 'other issuer name',
      input: withSpec(base, { issuerRef: { name: 'letsencrypt-staging', kind: 'ClusterIssuer' } }),
      ...wrong,
    },
    {
      name: 'other issuer kind',
      input: withSpec(base, { issuerRef: { name: 'letsencrypt', kind: 'Issuer' } }),
      ...wrong,
    },
    {
      name: 'Certificate renamed',
      input: withCertificate(base, { metadata: { ...base.input.certificate.metadata, name: 'other' } }),
      ...order(5, 'IncorrectCertificate'),
    },
  ];
}

function specCases(base: Base): ForecastCase[] {
  const mismatch = order(8, 'SecretMismatch');
  const [first = '', second = ''] = names;
  const hundred = Array.from({ length: 100 }, (_, index) => `a${index}.example.org`);
  return [
    { name: 'SANs reordered', input: withSpec(base, { dnsNames: [second, first] }), ...keep },
    { name: 'SAN twice', input: withSpec(base, { dnsNames: [first, second, first] }), ...keep },
    { name: 'certificate without CN', input: withLeaf(base, { commonName: '' }), ...keep },
    { name: 'spec.commonName is a SAN', input: withSpec(base, { commonName: second }), ...keep },
    {
      name: 'a name only in spec.commonName',
      input: withSpec(base, { dnsNames: [first], commonName: second }),
      ...keep,
    },
    { name: 'spec.commonName new', input: withSpec(base, { commonName: 'new.example.org' }), ...mismatch },
    { name: 'certificate with another CN', input: withLeaf(base, { commonName: 'old.example.org' }), ...mismatch },
    { name: 'SAN added', input: withSpec(base, { dnsNames: [...names, 'platform.example.org'] }), ...mismatch },
    { name: 'SAN removed', input: withSpec(base, { dnsNames: [first] }), ...mismatch },
    { name: 'SAN case differs', input: withSpec(base, { dnsNames: [first, 'MCP.example.org'] }), ...mismatch },
    { name: 'no names in the spec', input: withSpec(base, { dnsNames: [] }), ...mismatch },
    { name: 'ipAddresses added', input: withSpec(base, { ipAddresses: ['10.0.0.1'] }), ...mismatch },
    {
      name: 'ipAddresses equal',
      input: withLeaf(base, { ip: ['10.0.0.1', '2001:db8::1'] }, { ipAddresses: ['2001:DB8:0:0::1', '10.0.0.1'] }),
      ...keep,
    },
    {
      name: 'ipAddress mapped',
      input: withLeaf(base, { ip: ['10.0.0.1'] }, { ipAddresses: ['::ffff:10.0.0.1'] }),
      ...keep,
    },
    {
      name: 'ipAddress twice',
      input: withLeaf(base, { ip: ['10.0.0.1'] }, { ipAddresses: ['10.0.0.1', '10.0.0.1'] }),
      ...mismatch,
    },
    {
      name: 'uris equal',
      input: withLeaf(
        base,
        { uri: ['spiffe://a/b', 'https://c.org/d'] },
        { uris: ['https://c.org/d', 'spiffe://a/b'] },
      ),
      ...keep,
    },
    {
      name: 'uri scheme in capitals',
      input: withLeaf(base, { uri: ['HTTPS://c.org/d'] }, { uris: ['HTTPS://c.org/d'] }),
      ...mismatch,
    },
    {
      name: 'uri that Go refuses',
      input: withLeaf(base, { uri: ['https://c.org./d'] }),
      ...order(3, 'InvalidCertificate'),
    },
    {
      name: 'email equal',
      input: withLeaf(base, { email: ['a@example.org'] }, { emailAddresses: ['a@example.org'] }),
      ...keep,
    },
    {
      name: 'email case differs',
      input: withLeaf(base, { email: ['a@example.org'] }, { emailAddresses: ['A@example.org'] }),
      ...mismatch,
    },
    {
      name: 'wildcard',
      input: withLeaf(base, { commonName: '', dns: ['*.example.org'] }, { dnsNames: ['*.example.org'] }),
      ...keep,
    },
    {
      name: 'punycode',
      input: withLeaf(
        base,
        { commonName: '', dns: ['xn--bcher-kva.example'] },
        { dnsNames: ['xn--bcher-kva.example'] },
      ),
      ...keep,
    },
    {
      name: 'unicode in the spec',
      input: withLeaf(base, { commonName: '', dns: ['xn--bcher-kva.example'] }, { dnsNames: ['bücher.example'] }),
      ...mismatch,
    },
    {
      name: 'unicode CN in the certificate',
      input: withLeaf(base, { commonName: 'bücher.example' }, { commonName: 'bücher.example' }),
      ...keep,
    },
    {
      name: '100 SANs',
      input: withLeaf(base, { commonName: '', dns: hundred }, { dnsNames: hundred.toReversed() }),
      ...keep,
    },
    {
      name: 'usages, duration and isCA changed without a request',
      input: withSpec(base, { usages: ['client auth'], duration: '720h', isCA: true }),
      ...keep,
    },
    {
      name: 'subject changed without a request',
      input: withSpec(base, { subject: { organizations: ['Example'] } }),
      ...keep,
    },
    {
      name: 'literalSubject without a request',
      input: withSpec(base, { literalSubject: 'CN=other,O=Example' }),
      ...keep,
    },
  ];
}

function requestCases(base: Base): ForecastCase[] {
  const [first = '', second = ''] = names;
  const csr = (changes: Partial<Parameters<typeof requestPem>[0]> = {}) =>
    requestPem({ key: base.key, dns: names, ...changes });
  const against = (
    request: CertificateRequest | readonly CertificateRequest[],
    spec: Partial<CertificateSpec> = {},
  ): ForecastInput => ({
    ...withCertificate(base, { spec: { ...base.input.certificate.spec, ...spec }, status: { revision: 1 } }),
    requests: [request].flat(),
  });
  const changed = order(8, 'RequestChanged');
  const subject = [
    ['2.5.4.6', 'DE'],
    ['2.5.4.10', 'Example, Inc.'],
    ['2.5.4.11', 'Ops'],
  ] as const;
  const subjectSpec = { organizations: ['Example, Inc.'], countries: ['DE'], organizationalUnits: ['Ops'] };
  return [
    { name: 'request with the same key', input: against(revisionRequest(csr())), ...keep },
    {
      name: 'request with another key',
      input: against(revisionRequest(csr({ key: base.otherKey }))),
      ...order(7, 'SecretMismatch'),
    },
    {
      name: 'request with a key of another kind',
      input: against(revisionRequest(csr({ key: base.ecKey }))),
      ...order(7, 'SecretMismatch'),
    },
    { name: 'request garbage', input: against(revisionRequest('garbage')), ...order(7, 'InvalidCertificateRequest') },
    {
      name: 'request that is a certificate',
      input: against(revisionRequest(certificatePem(base.leaf))),
      ...order(7, 'InvalidCertificateRequest'),
    },
    {
      name: 'request over the cap',
      input: against(revisionRequest(csr() + 'x'.repeat(36_500))),
      ...order(7, 'InvalidCertificateRequest'),
    },
    {
      name: 'request of another UID',
      input: against(revisionRequest(csr({ key: base.otherKey }), { uid: 'old' })),
      ...keep,
    },
    {
      name: 'request of another revision',
      input: against(revisionRequest(csr({ key: base.otherKey }), { revision: 7 })),
      ...keep,
    },
    {
      name: 'request without owner',
      input: against({
        ...revisionRequest(csr({ key: base.otherKey })),
        metadata: {
          name: 'registry-cert-1',
          namespace: 'registry',
          annotations: { 'cert-manager.io/certificate-revision': '1' },
        },
      }),
      ...keep,
    },
    {
      name: 'two requests for the revision',
      input: against([revisionRequest(csr()), revisionRequest(csr(), { name: 'second' })]),
      verdict: 'blocked',
    },
    {
      name: 'two requests for the next revision',
      input: against([
        revisionRequest(csr(), { revision: 2 }),
        revisionRequest(csr(), { revision: 2, name: 'second' }),
      ]),
      verdict: 'blocked',
    },
    { name: 'request, usages differ', input: against(revisionRequest(csr()), { usages: ['server auth'] }), ...changed },
    {
      name: 'request, usages reordered',
      input: against(revisionRequest(csr(), { usages: ['server auth', 'signing'] }), {
        usages: ['signing', 'server auth'],
      }),
      ...keep,
    },
    { name: 'request, isCA differs', input: against(revisionRequest(csr()), { isCA: true }), ...changed },
    {
      name: 'request, duration differs',
      input: against(revisionRequest(csr(), { duration: '2160h0m0s' }), { duration: '720h' }),
      ...changed,
    },
    {
      name: 'request, duration spelled otherwise',
      input: against(revisionRequest(csr(), { duration: '2160h0m0s' }), { duration: '129600m' }),
      ...keep,
    },
    {
      name: 'request, duration on one side',
      input: against(revisionRequest(csr()), { duration: '720h0m0s' }),
      ...keep,
    },
    { name: 'request, dnsNames differ', input: against(revisionRequest(csr()), { dnsNames: [first] }), ...changed },
    {
      name: 'request, dnsNames reordered',
      input: against(revisionRequest(csr()), { dnsNames: [second, first] }),
      ...keep,
    },
    {
      name: 'request, CN where the spec has none',
      input: against(revisionRequest(csr({ commonName: first }))),
      ...changed,
    },
    {
      name: 'request, CN equal',
      input: against(revisionRequest(csr({ commonName: first })), { commonName: first }),
      ...keep,
    },
    {
      name: 'request, ipAddresses differ',
      input: against(revisionRequest(csr({ ip: ['10.0.0.1'] })), { ipAddresses: ['10.0.0.2'] }),
      ...changed,
    },
    {
      name: 'request, several fields differ',
      input: against(revisionRequest(csr()), {
        uris: ['spiffe://a/b'],
        emailAddresses: ['a@b.org'],
        dnsNames: [first],
        usages: ['any'],
      }),
      ...changed,
    },
    {
      name: 'request, subject equal',
      input: against(revisionRequest(csr({ subject })), { subject: subjectSpec }),
      ...keep,
    },
    {
      name: 'request, subject differs',
      input: against(revisionRequest(csr({ subject })), {
        subject: { ...subjectSpec, provinces: ['Berlin'], postalCodes: ['10115'] },
      }),
      ...changed,
    },
    {
      name: 'request, issuer name differs',
      input: against(revisionRequest(csr(), { issuerRef: { name: 'old', kind: 'ClusterIssuer' } })),
      ...changed,
    },
    {
      name: 'request, issuer group by default',
      input: against(
        revisionRequest(csr(), { issuerRef: { name: 'letsencrypt', kind: 'ClusterIssuer', group: 'cert-manager.io' } }),
      ),
      ...keep,
    },
    {
      name: 'request, otherNames equal',
      input: against(revisionRequest(csr({ otherNames: [['1.2.840.113556.1.4.221', 'user']] })), {
        otherNames: [{ oid: '1.2.840.113556.1.4.221', utf8Value: 'user' }],
      }),
      ...keep,
    },
    {
      name: 'request, otherNames differ',
      input: against(revisionRequest(csr({ otherNames: [['1.2.840.113556.1.4.221', 'user']] })), {
        otherNames: [{ oid: '1.2.840.113556.1.4.221', utf8Value: 'root' }],
      }),
      ...changed,
    },
    {
      name: 'request, otherNames missing',
      input: against(revisionRequest(csr()), { otherNames: [{ oid: '1.2.3', utf8Value: 'x' }] }),
      ...changed,
    },
    {
      name: 'request, literalSubject equal',
      input: against(
        revisionRequest(
          csr({
            subject: [
              ['2.5.4.10', 'Exämple, Inc.'],
              ['2.5.4.3', 'a_b'],
            ],
          }),
        ),
        { literalSubject: 'CN=a_b,O=Exämple\\, Inc.' },
      ),
      ...keep,
    },
    {
      name: 'request, literalSubject of another string type',
      input: against(revisionRequest(csr({ subject: [['2.5.4.3', 'plain']] })), { literalSubject: 'CN=plain' }),
      ...changed,
    },
    {
      name: 'request, literalSubject unreadable',
      input: against(revisionRequest(csr()), { literalSubject: 'nonsense', usages: ['any'] }),
      ...keep,
    },
  ];
}

function renewalCases(base: Base): ForecastCase[] {
  const { notBefore, notAfter, due, dayTen } = base.times;
  const at = (now: Date, spec: Partial<CertificateSpec> = {}, status: Certificate['status'] = {}): ForecastInput => ({
    ...withCertificate(base, { spec: { ...base.input.certificate.spec, ...spec }, status }),
    now,
  });
  const plus = (time: Date, seconds: number) => new Date(time.getTime() + seconds * 1000);
  const renewing = order(9, 'Renewing');
  const day = (count: number) => plus(notBefore, count * 86_400);
  const ari = (start: Date) => ({
    acme: { ari: { suggestedWindow: { start: start.toISOString(), end: plus(start, 86_400).toISOString() } } },
  });
  const windows = (cron: string, windowDuration: string, timezone?: string) =>
    ({
      renewal: {
        policy: 'RenewBefore',
        windows: [{ cron, windowDuration, ...(timezone === undefined ? {} : { timezone }) }],
      },
    }) as const;
  const oddEnd = { notAfter: plus(notAfter, -1) };
  return [
    { name: 'one second before two thirds', input: at(plus(due, -1)), ...keep },
    { name: 'two thirds exactly', input: at(due), ...renewing },
    { name: 'one second after two thirds', input: at(plus(due, 1)), ...renewing },
    {
      name: 'two thirds of an odd lifetime, before',
      input: { ...withLeaf(base, oddEnd), now: plus(due, -2) },
      ...keep,
    },
    {
      name: 'two thirds of an odd lifetime, cut to the second',
      input: { ...withLeaf(base, oddEnd), now: plus(due, -1) },
      ...renewing,
    },
    { name: 'renewalTime in the status', input: at(due, {}, { renewalTime: due.toISOString() }), ...renewing },
    { name: 'renewBefore 85 days', input: at(dayTen, { renewBefore: '2040h' }), ...renewing },
    { name: 'renewBefore 80 days, due now', input: at(dayTen, { renewBefore: '1920h0m0s' }), ...renewing },
    {
      name: 'renewBefore 80 days, a nanosecond later',
      input: at(dayTen, { renewBefore: '1919h59m59.999999999s' }),
      ...renewing,
    },
    { name: 'renewBefore 80 days, a second later', input: at(dayTen, { renewBefore: '1919h59m59s' }), ...keep },
    { name: 'renewBefore as long as the lifetime', input: at(dayTen, { renewBefore: '2160h' }), ...keep },
    { name: 'renewBefore zero', input: at(due, { renewBefore: '0s' }), ...renewing },
    { name: 'renewBeforePercentage 10, day 80', input: at(day(80), { renewBeforePercentage: 10 }), ...keep },
    { name: 'renewBeforePercentage 10, day 81', input: at(day(81), { renewBeforePercentage: 10 }), ...renewing },
    {
      name: 'renewBeforePercentage 10, before day 81',
      input: at(plus(day(81), -1), { renewBeforePercentage: 10 }),
      ...keep,
    },
    { name: 'renewBeforePercentage 90, day 10', input: at(dayTen, { renewBeforePercentage: 90 }), ...renewing },
    { name: 'renewBeforePercentage 100', input: at(dayTen, { renewBeforePercentage: 100 }), ...keep },
    { name: 'expired', input: at(plus(notAfter, 1)), ...renewing },
    {
      name: 'notBefore in an hour',
      input: { ...withLeaf(base, { notBefore: plus(dayTen, 3600) }), now: dayTen },
      ...keep,
    },
    { name: 'expired, renewal disabled', input: at(plus(notAfter, 1), { renewal: { policy: 'Disabled' } }), ...keep },
    { name: 'renewal policy without windows', input: at(due, { renewal: { policy: 'RenewBefore' } }), ...renewing },
    { name: 'ARI window open', input: { ...at(dayTen, {}, ari(dayTen)), renewalInfo: true }, ...renewing },
    {
      name: 'ARI window opens in a second',
      input: { ...at(dayTen, {}, ari(plus(dayTen, 1))), renewalInfo: true },
      ...keep,
    },
    {
      name: 'ARI window ahead although past two thirds',
      input: { ...at(plus(due, 60), {}, ari(plus(due, 3600))), renewalInfo: true },
      ...keep,
    },
    {
      name: 'ARI window of an earlier certificate',
      input: { ...at(dayTen, {}, ari(notBefore)), renewalInfo: true },
      ...keep,
    },
    { name: 'ARI window, gate off', input: at(dayTen, {}, ari(dayTen)), ...keep },
    {
      name: 'ARI window open, renewal disabled',
      input: { ...at(dayTen, { renewal: { policy: 'Disabled' } }, ari(dayTen)), renewalInfo: true },
      ...keep,
    },
    { name: 'window later that day, not yet', input: at(plus(due, 2 * 3600 - 1), windows('0 2 * * *', '1h')), ...keep },
    { name: 'window later that day, opened', input: at(plus(due, 2 * 3600), windows('0 2 * * *', '1h')), ...renewing },
    { name: 'window open at the time', input: at(due, windows('0 23 * * *', '2h')), ...renewing },
    { name: 'window that just closed', input: at(due, windows('0 23 * * *', '59m')), ...keep },
    { name: 'window that closes that second', input: at(due, windows('0 23 * * *', '1h')), ...renewing },
    { name: 'window on Mondays', input: at(new Date('2026-08-03T03:59:59Z'), windows('0 4 * * mon', '1h')), ...keep },
    {
      name: 'window on Mondays, opened',
      input: at(new Date('2026-08-03T04:00:00Z'), windows('0 4 * * mon', '1h')),
      ...renewing,
    },
    {
      name: 'window in New York',
      input: at(new Date('2026-07-31T05:59:59Z'), windows('0 2 * * *', '1h', 'America/New_York')),
      ...keep,
    },
    {
      name: 'window in New York, opened',
      input: at(new Date('2026-07-31T06:00:00Z'), windows('0 2 * * *', '1h', 'America/New_York')),
      ...renewing,
    },
    { name: 'window on day 13 or Friday', input: at(due, windows('0 0 13 * FRI', '1h')), ...renewing },
    {
      name: 'window in weeks of steps',
      input: at(new Date('2026-08-01T00:00:00Z'), windows('*/20 8-18/2 1,15 * ?', '5m')),
      ...keep,
    },
    { name: 'window daily by name', input: at(due, windows('@daily', '1m')), ...renewing },
    { name: 'window never again', input: at(due, windows('0 0 29 2 *', '1h')), ...renewing },
    { name: 'window never again, before the time', input: at(plus(due, -1), windows('0 0 29 2 *', '1h')), ...keep },
  ];
}

function stateCases(base: Base): ForecastCase[] {
  const { dayTen } = base.times;
  const certificate = base.input.certificate;
  const sibling = (name: string, creationTimestamp: string): Certificate => ({
    ...certificate,
    metadata: { name, namespace: 'registry', uid: name, creationTimestamp },
  });
  const older = sibling('older', '2026-06-09T00:00:00Z');
  const twin = sibling('aaa', '2026-06-10T00:00:00Z');
  const elsewhere = {
    ...sibling('elsewhere', '2026-06-01T00:00:00Z'),
    spec: { ...certificate.spec, secretName: 'other' },
  };
  const beside = (others: readonly Certificate[], input: ForecastInput = base.input): ForecastInput => ({
    ...input,
    siblings: [input.certificate, ...others],
  });
  const { 'cert-manager.io/certificate-name': _owner, ...unnamed } = issuedAnnotations;
  const withoutName = withAnnotations(base, unnamed);
  const ago = (
    hours: number,
    attempts?: number,
    secret: Secret | undefined = undefined,
    seconds = 0,
  ): ForecastInput => ({
    ...withCertificate(base, {
      status: {
        lastFailureTime: new Date(dayTen.getTime() - hours * hour - seconds * 1000).toISOString(),
        ...(attempts === undefined ? {} : { failedIssuanceAttempts: attempts }),
      },
    }),
    secret,
  });
  const csr = requestPem({ key: base.otherKey, dns: names });
  const issuing = (status: string): NonNullable<Certificate['status']> => ({
    conditions: [
      { type: 'Issuing', status, reason: 'ManuallyTriggered', message: 'Certificate re-issuance manually triggered' },
    ],
  });
  const missing = { check: 1, reason: 'DoesNotExist' } as const;
  const blocked = { verdict: 'blocked', ...missing } as const;
  const ordered = { verdict: 'order', ...missing } as const;
  return [
    {
      name: 'Issuing latched over a good Secret',
      input: withCertificate(base, { status: issuing('True') }),
      verdict: 'order',
      reason: 'ManuallyTriggered',
    },
    { name: 'Issuing false', input: withCertificate(base, { status: issuing('False') }), ...keep },
    {
      name: 'being deleted',
      input: {
        ...withCertificate(base, {
          metadata: { ...certificate.metadata, deletionTimestamp: '2026-06-11T00:00:00Z', finalizers: ['x/y'] },
        }),
        secret: undefined,
      },
      ...keep,
    },
    { name: 'another Certificate, the annotation names this one', input: beside([older]), ...keep },
    {
      name: 'another Certificate, the annotation names it',
      input: beside(
        [older],
        withAnnotations(base, { ...issuedAnnotations, 'cert-manager.io/certificate-name': 'older' }),
      ),
      verdict: 'not-owner',
    },
    { name: 'an older Certificate, no annotation', input: beside([older], withoutName), verdict: 'not-owner' },
    {
      name: 'a Certificate of the same age, earlier by name',
      input: beside([twin], withoutName),
      verdict: 'not-owner',
    },
    {
      name: 'a younger Certificate, no annotation',
      input: beside([sibling('aaa', '2026-06-10T00:00:01Z')], withoutName),
      ...keep,
    },
    {
      name: 'an older Certificate, Secret absent',
      input: beside([older], withSecret(base, undefined)),
      verdict: 'not-owner',
    },
    {
      name: 'the annotation names a stranger',
      input: beside(
        [older],
        withAnnotations(base, { ...issuedAnnotations, 'cert-manager.io/certificate-name': 'gone' }),
      ),
      verdict: 'not-owner',
    },
    { name: 'an older Certificate with another Secret', input: beside([elsewhere], withoutName), ...keep },
    { name: 'failed 59 minutes ago', input: ago(1, undefined, undefined, -60), ...blocked },
    { name: 'failed one hour ago', input: ago(1), ...ordered },
    { name: 'failed one hour less a second ago', input: ago(1, 1, undefined, -1), ...blocked },
    { name: 'failed twice, 119 minutes ago', input: ago(2, 2, undefined, -60), ...blocked },
    { name: 'failed twice, two hours ago', input: ago(2, 2), ...ordered },
    { name: 'failed six times, 32 hours less a second ago', input: ago(32, 6, undefined, -1), ...blocked },
    { name: 'failed six times, 32 hours ago', input: ago(32, 6), ...ordered },
    { name: 'failed 99 times, 32 hours less a second ago', input: ago(32, 99, undefined, -1), ...blocked },
    { name: 'failed 99 times, 32 hours ago', input: ago(32, 99), ...ordered },
    { name: 'failures zero, just now', input: ago(0, 0), ...blocked },
    { name: 'failed just now, Secret good', input: ago(0, 1, base.input.secret), ...keep },
    {
      name: 'failed just now, failed request still fits',
      input: { ...ago(0, 1), requests: [revisionRequest(csr)] },
      ...blocked,
    },
    {
      name: 'failed just now, spec changed since',
      input: { ...ago(0, 1), requests: [revisionRequest(csr, { usages: ['any'] })] },
      ...ordered,
    },
    {
      name: 'failed just now, failed request unreadable',
      input: { ...ago(0, 1), requests: [revisionRequest('garbage')] },
      ...ordered,
    },
  ];
}
