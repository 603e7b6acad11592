import { encoded, handMade } from '../../shared/backup/testing/issued.js';
import type { CertificateSpec, IssuerRef } from '../../shared/certificates/model.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { Random } from '../random.js';

export interface RandomIssuers {
  /** Issuers and their Secrets. */
  objects: KubeObject[];
  /** What Certificates may refer to. */
  refs: IssuerRef[];
  /** The ACME issuer of the platform. */
  main: IssuerRef;
  /** Certificates that are CAs of issuers. */
  selfMade: { name: string; namespace: string; spec: Partial<CertificateSpec> }[];
}

export interface IssuerBounds {
  clusterResources: string;
  now: Date;
  lab?: { directory: string; caBundle: string };
}

/** Every key that the references name: cert-manager refuses an issuer whose solver’s Secret lacks its own. */
const referredKeys = ['token', 't', 'k', 'i', 'a', 'b', 'c', 's', 'json', 'u', 'p', 'username', 'password'];

const keyOf = (name: string, key: string) => ({ name, key });
const webhook = (config: object) => ({ webhook: { groupName: 'acme.example.com', solverName: 's', config } });
const akamai = {
  serviceConsumerDomain: 'x',
  clientTokenSecretRef: keyOf('ak', 'a'),
  clientSecretSecretRef: keyOf('ak', 'b'),
  accessTokenSecretRef: keyOf('ak', 'c'),
};
const route53 = {
  region: 'x',
  secretAccessKeySecretRef: keyOf('aws', 'k'),
  accessKeyIDSecretRef: keyOf('aws-id', 'i'),
};
const rfc2136 = { nameserver: '192.0.2.1', tsigKeyName: 'k', tsigSecretSecretRef: keyOf('tsig', 's') };
const user = { usernameSecretKeyRef: keyOf('hook-user', 'u'), passwordSecretKeyRef: keyOf('hook-pass', 'p') };
const nested = {
  nested: [{ credentialsSecretName: 'hook-nested' }],
  tokenSecretRef: keyOf('hook-token', 't'),
};

/** DNS providers of the API, each with its references; the webhooks name Secrets under the keys that theirs have. */
const dns01: readonly (readonly [spec: object, secrets: readonly string[]])[] = [
  [{ cloudflare: { apiTokenSecretRef: keyOf('cf', 'token') } }, ['cf']],
  [{ route53 }, ['aws', 'aws-id']],
  [{ akamai }, ['ak']],
  [{ rfc2136 }, ['tsig']],
  [{ cloudDNS: { project: 'p', serviceAccountSecretRef: keyOf('gcp', 'json') } }, ['gcp']],
  [webhook(user), ['hook-user', 'hook-pass']],
  [webhook({ secretName: 'hook-secret', zone: 'example.com' }), ['hook-secret']],
  [webhook(nested), ['hook-nested', 'hook-token']],
];

/** Issuers of all types, and the Secrets that they name. */
export function randomIssuers(random: Random, { clusterResources, now, lab }: IssuerBounds): RandomIssuers {
  const chance = (percent: number): boolean => random.below(100) < percent;
  const objects: KubeObject[] = [];
  const opaque = (name: string, namespace = clusterResources, type = 'Opaque', annotations = {}): KubeObject =>
    objectOf(kinds.secret, {
      metadata: { name, namespace, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) },
      type,
      data: encoded(Object.fromEntries(referredKeys.map((key) => [key, `${name}-${random.below(1e6)}`]))),
    });
  const clusterIssuer = (name: string, spec: object): void => {
    objects.push(objectOf(kinds.clusterIssuer, { metadata: { name }, spec }));
  };
  const http01 = { http01: { ingress: { ingressClassName: 'traefik' } } };
  const [provider, names] = dns01[random.below(dns01.length)] ?? [{}, []];
  const main: IssuerRef = { name: 'main', kind: 'ClusterIssuer' };
  const hasEab = lab === undefined && chance(30);
  clusterIssuer('main', {
    acme: {
      server: lab?.directory ?? 'https://acme.invalid/directory',
      ...(lab === undefined ? {} : { caBundle: lab.caBundle }),
      privateKeySecretRef: { name: 'main-account' },
      ...(hasEab ? { externalAccountBinding: { keyID: 'k', keySecretRef: { name: 'eab', key: 's' } } } : {}),
      solvers:
        lab === undefined
          ? [chance(60) ? { dns01: provider } : http01]
          : [http01, { dns01: provider, selector: { dnsZones: ['unused.invalid'] } }],
    },
  });
  // A real ACME server wants a real key: cert-manager makes it.
  if (lab === undefined) objects.push(opaque('main-account'));
  if (hasEab) objects.push(opaque('eab'));
  for (const name of names) objects.push(opaque(name));

  clusterIssuer('private', { ca: { secretName: 'private-ca' } });
  objects.push(handMade('private-ca', clusterResources, now));
  const refs: IssuerRef[] = [main, { name: 'private', kind: 'ClusterIssuer' }];

  const token = ['kubernetes.io/service-account-token', { 'kubernetes.io/service-account.name': 'default' }] as const;
  const role = { path: 'a', roleId: 'r', secretRef: keyOf('vault-role', 's') };
  const account = { role: 'r', secretRef: keyOf('vault-sa', 'token') };
  const vaults: (readonly [string, object, KubeObject])[] = [
    ['token', { tokenSecretRef: keyOf('vault-token', 't') }, opaque('vault-token')],
    ['role', { appRole: role }, opaque('vault-role')],
    ['kubernetes', { kubernetes: account }, opaque('vault-sa', clusterResources, ...token)],
    ['client', { clientCertificate: { secretName: 'vault-client' } }, handMade('vault-client', clusterResources, now)],
  ];
  const vault = vaults[random.below(vaults.length)];
  if (vault !== undefined && chance(60)) {
    const [name, auth, secret] = vault;
    clusterIssuer(`vault-${name}`, { vault: { server: 'https://vault.invalid', path: 'p', auth } });
    objects.push(secret);
    refs.push({ name: `vault-${name}`, kind: 'ClusterIssuer' });
  }
  if (chance(40)) {
    // A Secret with two uses: a Certificate's own, and the bundle that an issuer trusts.
    const spec = {
      vault: {
        server: 'https://vault.invalid',
        path: 'p',
        caBundleSecretRef: { name: 'registry-tls', key: 'tls.crt' },
        auth: { tokenSecretRef: { name: 'vault-local', key: 't' } },
      },
    };
    objects.push(
      objectOf(kinds.issuer, { metadata: { name: 'vault-local', namespace: 'registry' }, spec }),
      opaque('vault-local', 'registry'),
    );
  }
  if (chance(40)) {
    clusterIssuer('venafi', {
      venafi: { zone: 'z', tpp: { url: 'https://tpp.invalid', credentialsRef: { name: 'tpp' } } },
    });
    objects.push(opaque('tpp', clusterResources, chance(30) ? 'kubernetes.io/basic-auth' : 'Opaque'));
    refs.push({ name: 'venafi', kind: 'ClusterIssuer' });
  }
  if (chance(25)) refs.push({ name: 'google', kind: 'GoogleCASIssuer', group: 'cas-issuer.jetstack.io' });
  const selfMade: RandomIssuers['selfMade'] = [];
  if (chance(50)) {
    // selfSigned issuer → Certificate → CA issuer.
    const namespace = chance(50) ? 'default' : 'monitoring';
    objects.push(
      objectOf(kinds.issuer, { metadata: { name: 'self', namespace }, spec: { selfSigned: {} } }),
      objectOf(kinds.issuer, { metadata: { name: 'own-ca', namespace }, spec: { ca: { secretName: 'own-ca' } } }),
    );
    const spec = { isCA: true, commonName: 'own-ca', dnsNames: [], issuerRef: { name: 'self', kind: 'Issuer' } };
    selfMade.push({ name: 'own-ca', namespace, spec });
  }
  if (lab === undefined && chance(30)) {
    const spec = {
      acme: { server: 'https://acme.invalid/directory', privateKeySecretRef: { name: 'unregistered' }, solvers: [] },
    };
    objects.push(objectOf(kinds.clusterIssuer, { metadata: { name: 'unregistered' }, spec }));
  }
  return { objects, refs, main, selfMade };
}
