import { day, encoded, handMade, issuedSecret } from '../../shared/backup/testing/issued.js';
import type { Certificate } from '../../shared/certificates/model.js';
import { objectOf } from '../../shared/cluster/cluster.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { ErrorCode } from '../../shared/errors.js';

/** One object of a forged backup, with the roles that it claims. */
export interface Claim {
  roles: readonly string[];
  object: KubeObject;
}

/** A backup that whoever stole the signing key could make. */
export interface Forgery {
  name: string;
  claims: Claim[];
  /** Code of the refusal; undefined where the restore goes through and writes only what `writes` says. */
  code?: ErrorCode;
  /** `Secret payments/db` → the keys that may be new or changed, for objects that may be written at all. */
  writes?: Readonly<Record<string, readonly string[]>>;
  /** Certificates that the backup claims to be for. */
  certificates?: object[];
}

export const now = new Date('2026-11-24T12:00:00Z');

const admin = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-secrets' };
const evil = encoded({ ADMIN_API_KEYS: 'forged' });
const secret = (namespace: string, name: string, more: Record<string, unknown> = {}): KubeObject =>
  objectOf(kinds.secret, { metadata: { name, namespace }, type: 'Opaque', data: evil, ...more });
const claim = (role: string | readonly string[], object: KubeObject): Claim => ({
  roles: typeof role === 'string' ? [role] : role,
  object,
});
const configMap = (namespace: string, name: string, data: Record<string, string>): KubeObject =>
  objectOf(kinds.configMap, { metadata: { name, namespace }, data });
const namespace = (
  name: string,
  labels: Record<string, string> = {},
  annotations: Record<string, string> = {},
): KubeObject => objectOf(kinds.namespace, { metadata: { name, labels, annotations } });

/** A certificate that the forger made, for any Secret. */
function pair(where: string, name: string, more: { type?: string; more?: Record<string, string> } = {}): KubeObject {
  const metadata = { namespace: where, name };
  const spec = { secretName: name, dnsNames: ['forged.example.com'], issuerRef: { name: 'x' } };
  const certificate = objectOf(kinds.certificate, { metadata, spec }) as KubeObject & Certificate;
  return issuedSecret({ certificate, now, age: day, life: 90 * day, ...more });
}

/** What is on the cluster: victims, and what may be replaced. */
export function world(): KubeObject[] {
  const own = pair('registry', 'registry-tls');
  const broken = { ...own, data: { ...encoded({ 'tls.crt': 'x', 'tls.key': 'y', 'own.pem': 'kept' }) } };
  const expired = handMade('legacy-tls', 'payments', new Date(now.getTime() - 5000 * day));
  return [
    ...['default', 'kube-system', 'kube-public', 'cert-manager', 'payments', 'registry', 'mcp-sentinel', 'argocd'].map(
      (name) => namespace(name),
    ),
    secret(admin.namespace, admin.name, { data: encoded({ ADMIN_API_KEYS: 'real', JWT_SECRET: 'real' }) }),
    secret('mcp-sentinel', 'mcp-sentinel-user-api-keys', { data: encoded({ a: 'real' }) }),
    secret('payments', 'db', { data: encoded({ password: 'real' }) }),
    secret('payments', 'app', { data: encoded({ 'tls.crt': 'junk', 'tls.key': 'junk' }) }),
    handMade('by-hand', 'payments', now),
    expired,
    secret('kube-system', 'node-password', { data: encoded({ hash: 'real' }) }),
    handMade('k3s-serving', 'kube-system', now),
    secret('cert-manager', 'account', { data: encoded({ 'tls.key': 'real' }) }),
    handMade('private-ca', 'cert-manager', now),
    broken,
    configMap('mcp-sentinel', 'mcp-sentinel-config', {
      MCP_PLATFORM_DOMAIN: 'example.com',
      OIDC_ISSUER: 'https://real',
    }),
    configMap('kube-system', 'coredns', { Corefile: 'real' }),
  ];
}

/** The forged backups, each with what it may come to. */
export function forgeries(): Forgery[] {
  type Role = Parameters<typeof claim>[0];
  const refused = (name: string, role: Role, object: KubeObject, ...more: Claim[]): Forgery => {
    return { name, claims: [claim(role, object), ...more], code: 'backup-forbidden-object' };
  };
  const tooLate = (name: string, object: KubeObject): Forgery => {
    return { name, claims: [claim('tls', object)], code: 'restore-refused' };
  };
  const harmless = (name: string, role: Role, object: KubeObject): Forgery => writing(name, {}, claim(role, object));
  const writing = (name: string, writes: NonNullable<Forgery['writes']>, ...claims: Claim[]): Forgery => {
    return { name, claims, writes };
  };
  const createOnly = ['issuer-secret', 'account-key', 'ca-key', 'keystore-password'] as const;
  const pull = 'mcp-runtime-registry-pull';
  const annotations = { 'kubernetes.io/service-account.name': 'default' };
  const token = objectOf(kinds.secret, {
    metadata: { name: 'token', namespace: 'kube-system', annotations },
    type: 'kubernetes.io/service-account-token',
    data: {},
  });
  const code = encoded({ LD_PRELOAD: '/x', NODE_OPTIONS: '-r /x', https_proxy: 'http://evil' });
  const privileged = { 'pod-security.kubernetes.io/enforce': 'privileged' };
  const settings = (data: Record<string, string>) => configMap('mcp-sentinel', 'mcp-sentinel-config', data);
  return [
    ...['tls', ...createOnly].map((role) =>
      refused(`the platform’s administrators as ${role}`, role, secret(admin.namespace, admin.name)),
    ),
    refused('the platform’s administrators in two roles', ['issuer-secret', 'tls'], pair(admin.namespace, admin.name)),
    refused(
      'API keys of users as a certificate',
      'tls',
      pair('mcp-sentinel', 'mcp-sentinel-user-api-keys', { type: 'Opaque' }),
    ),
    refused('a pull Secret as a certificate', 'tls', pair('registry', pull)),
    ...[
      ['payments', 'db'],
      ['kube-system', 'node-password'],
      ['default', 'x'],
      ['cert-manager', 'account'],
      ['payments', 'mcp-sentinel-secrets'],
    ].map(([where = '', name = '']) =>
      refused(`${where}/${name} as one of the platform’s`, 'platform-secret', secret(where, name)),
    ),
    refused('a pull Secret where the platform is not', 'platform-secret', secret('payments', pull)),
    refused(
      'a pull Secret of another type',
      'platform-secret',
      secret('registry', pull, { type: 'kubernetes.io/ssh-auth' }),
    ),
    ...['tls', ...createOnly].map((role) => refused(`a service account’s token as ${role}`, role, token)),
    refused(
      'a bootstrap token',
      'issuer-secret',
      secret('kube-system', 'bootstrap-token-abcdef', { type: 'bootstrap.kubernetes.io/token' }),
    ),
    refused(
      'a release of Helm',
      'issuer-secret',
      secret('payments', 'sh.helm.release.v1.x.v1', { type: 'helm.sh/release.v1' }),
    ),
    ...['basic-auth', 'ssh-auth', 'dockerconfigjson'].map((type) =>
      refused(`a certificate of type ${type}`, 'tls', pair('payments', 'new', { type: `kubernetes.io/${type}` })),
    ),
    refused('another ConfigMap', 'platform-config', configMap('kube-system', 'coredns', {})),
    refused('another key of the configuration', 'platform-config', settings({ API_BASE: 'http://evil' })),
    refused(
      'one Secret in two claims',
      'issuer-secret',
      secret('payments', 'new'),
      claim('tls', pair('payments', 'new')),
    ),

    ...[
      ['payments', 'db'],
      ['payments', 'app'],
      ['kube-system', 'node-password'],
    ].map(([where = '', name = '']) =>
      tooLate(
        `a certificate over ${where}/${name}, which is not cert-manager’s`,
        pair(where, name, { type: 'Opaque' }),
      ),
    ),
    tooLate('a certificate over one that was put there by hand and has expired', pair('payments', 'legacy-tls')),
    tooLate('a pair that does not belong together', {
      ...pair('payments', 'new'),
      data: encoded({ 'tls.crt': 'x', 'tls.key': 'y' }),
    }),
    harmless('a certificate over one that was put there by hand', 'tls', pair('payments', 'by-hand')),
    harmless('a certificate over the cluster’s own', 'tls', pair('kube-system', 'k3s-serving')),
    ...createOnly.map((role) => harmless(`an existing Secret as ${role}`, role, secret('payments', 'db'))),
    harmless(
      'an existing account key',
      'account-key',
      secret('cert-manager', 'account', { data: encoded({ 'tls.key': 'forged' }) }),
    ),
    harmless('an existing CA', 'ca-key', pair('cert-manager', 'private-ca')),
    harmless(
      'other administrators in the platform’s own Secret',
      'platform-secret',
      secret(admin.namespace, admin.name),
    ),
    harmless(
      'a variable that loads code into the platform’s programs',
      'platform-secret',
      secret(admin.namespace, admin.name, { data: code }),
    ),
    harmless('another identity provider', 'platform-config', settings({ OIDC_ISSUER: 'https://evil' })),
    ...['kube-system', 'default', 'payments'].map((name) =>
      harmless(`labels for namespace ${name}`, 'namespace', namespace(name, privileged, { 'x/y': 'z' })),
    ),
    harmless('a namespace that nothing is in', 'namespace', namespace('new', { 'app.kubernetes.io/name': 'x' })),
    writing(
      'a new namespace with labels and annotations of others',
      { 'Namespace /new': ['label app.kubernetes.io/name'], 'Secret new/own-tls': ['tls.crt', 'tls.key'] },
      claim(
        'namespace',
        namespace(
          'new',
          { 'istio-injection': 'enabled', 'app.kubernetes.io/name': 'x' },
          { 'scheduler.alpha.kubernetes.io/node-selector': 'a=b' },
        ),
      ),
      claim('tls', pair('new', 'own-tls')),
    ),
    writing(
      'a certificate with values that are none of it',
      { 'Secret payments/new': ['tls.crt', 'tls.key', 'ca.crt'] },
      claim('tls', pair('payments', 'new', { more: { ADMIN_API_KEYS: 'forged', 'ca.crt': 'x' } })),
    ),
    writing(
      'a certificate with such values over cert-manager’s own',
      { 'Secret registry/registry-tls': ['tls.crt', 'tls.key'] },
      claim(
        ['issuer-secret', 'tls'],
        pair('registry', 'registry-tls', { more: { 'own.pem': 'forged', other: 'forged' } }),
      ),
    ),
    writing(
      'a Secret that another controller would take for its own',
      { 'Secret argocd/repo': ['ADMIN_API_KEYS'] },
      claim(
        'issuer-secret',
        objectOf(kinds.secret, {
          metadata: { name: 'repo', namespace: 'argocd', labels: { 'argocd.argoproj.io/secret-type': 'repository' } },
          type: 'Opaque',
          data: evil,
        }),
      ),
    ),
  ];
}
