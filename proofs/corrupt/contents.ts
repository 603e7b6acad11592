import { limits } from '../../shared/backup/limits.js';
import { encodeSnapshot } from '../../shared/backup/snapshot.js';
import type { ErrorCode } from '../../shared/errors.js';
import { type Case, casesOf, type Material, sealedText, signedBackup } from './material.js';

type Item = Record<string, unknown> & { metadata: Record<string, unknown> };

/** The plaintext of a backup, as far as the cases change it. */
interface Document {
  items: Item[];
  manifest: { roles: (string | string[])[] } & Record<string, unknown>;
  [member: string]: unknown;
}

/** Code, name and text of a case. */
type Content = [ErrorCode, string, string];
/** What an object is, the role that it claims, and itself. */
type Claim = [string, string, Item];

const value = Buffer.from('planted').toString('base64');
const secretOf = (namespace: string, name: string, more: Record<string, unknown> = {}): Item => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name, namespace },
  type: 'Opaque',
  data: { value },
  ...more,
});
const configOf = (namespace: string, name: string, data: Record<string, string>): Item => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace },
  data,
});

/** Backups that are signed, encrypted and consistent, and hold what no backup of ours holds. */
export async function maliciousContents(material: Material): Promise<Case[]> {
  const { snapshot, context } = material;
  const plain = encodeSnapshot(snapshot, context).toString();
  const changed = (change: (document: Document) => void): string => {
    const document = JSON.parse(plain) as Document;
    change(document);
    return JSON.stringify(document);
  };
  const plus = (role: string, item: Item): string =>
    changed(({ items, manifest }) => {
      items.push(item);
      manifest.roles.push(role);
    });
  const twice = changed((one) => {
    one.items = one.items.flatMap((item) => [item, item]);
    one.manifest.roles = one.manifest.roles.flatMap((role) => [role, role]);
  });
  const tooMany = changed((one) => {
    one.items = Array.from({ length: limits.objects + 1 }, (_, at) => secretOf('registry', `s${at}`));
    one.manifest.roles = one.items.map(() => 'issuer-secret');
  });
  const more = changed(({ manifest }) => (manifest.context = { ...context, extra: 1 }));
  const contents: Content[] = [
    ...forbiddenItems().map(([name, role, item]): Content => ['backup-forbidden-object', name, plus(role, item)]),
    ['backup-forbidden-object', 'every object twice', twice],
    ['backup-forbidden-object', 'roles in another order', changed(({ manifest }) => manifest.roles.reverse())],
    ...oddItems().map(([name, role, item]): Content => ['backup-malformed', name, plus(role, item)]),
    ['backup-malformed', 'a role too few', changed(({ manifest }) => manifest.roles.pop())],
    ['backup-malformed', 'a role too many', changed(({ manifest }) => manifest.roles.push('tls'))],
    ['backup-malformed', 'unknown role', changed(({ manifest }) => manifest.roles.fill('owner'))],
    ['backup-malformed', 'no manifest', changed((one) => delete (one as Partial<Document>).manifest)],
    ['backup-malformed', 'member of another form', changed((one) => (one.extra = true))],
    ['backup-malformed', 'no List', changed((one) => (one.kind = 'Secret'))],
    ['backup-malformed', 'odd certificate', changed(({ manifest }) => (manifest.certificates = [{ metadata: {} }]))],
    ['backup-malformed', 'odd ledger', changed(({ manifest }) => (manifest.ledger = [{ serial: 1 }]))],
    ['backup-malformed', 'more objects than any', tooMany],
    ['backup-malformed', 'cut off', plain.slice(0, plain.length / 2)],
    ['backup-malformed', 'two documents', `${plain}${plain}`],
    ['backup-malformed', 'nothing', ''],
    ['backup-malformed', 'not JSON', 'apiVersion: v1'],
    ['backup-malformed', 'deep', `${'['.repeat(200_000)}`],
    ['backup-inner', 'no context', changed(({ manifest }) => (manifest.context = null))],
    ['backup-inner', 'context with one member more', more],
  ];
  const packed = async (text: string): Promise<Buffer> =>
    signedBackup(material, await sealedText(material, Buffer.from(text)), context);
  return casesOf(
    'malicious content under a valid signature',
    contents.map(([code, name, text]) => [name, code, packed(text)]),
  );
}

/** Well-formed objects that a restore must never write, with the role that they claim. */
function forbiddenItems(): Claim[] {
  const rbac = (kind: string, namespaced: boolean): Item => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: 'planted', ...(namespaced ? { namespace: 'registry' } : {}) },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name: 'default', namespace: 'registry' }],
  });
  const typed = (type: string): Item => secretOf('registry', 'planted', { type });
  const namespaceOf = (name: string): Item => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  const config = { namespace: 'mcp-sentinel', name: 'mcp-sentinel-config' };
  return [
    ['RoleBinding', 'platform-secret', rbac('RoleBinding', true)],
    ['ClusterRoleBinding', 'namespace', rbac('ClusterRoleBinding', false)],
    ['Pod', 'platform-secret', { ...rbac('Pod', true), apiVersion: 'v1', spec: { hostNetwork: true } }],
    ['Certificate', 'tls', { ...rbac('Certificate', true), apiVersion: 'cert-manager.io/v1' }],
    [
      'policy',
      'namespace',
      { ...rbac('ValidatingAdmissionPolicy', false), apiVersion: 'admissionregistration.k8s.io/v1' },
    ],
    ['Secret of another group', 'tls', { ...secretOf('registry', 'planted'), apiVersion: 'evil.io/v1' }],
    [
      'ServiceAccount’s token',
      'platform-secret',
      {
        ...typed('kubernetes.io/service-account-token'),
        metadata: {
          name: 'planted',
          namespace: 'registry',
          annotations: { 'kubernetes.io/service-account.name': 'default' },
        },
      },
    ],
    ['bootstrap token', 'platform-secret', typed('bootstrap.kubernetes.io/token')],
    ['Helm’s release', 'platform-secret', typed('helm.sh/release.v1')],
    ...['kube-system', 'kube-public', 'default', 'registry'].map(
      (name): Claim => [
        `Secret in ${name} that is none of the platform’s`,
        'platform-secret',
        secretOf(name, 'planted'),
      ],
    ),
    ...(['tls', 'issuer-secret', 'account-key', 'ca-key', 'keystore-password'] as const).map(
      (role): Claim => [
        `the platform’s Secret as ${role}`,
        role,
        secretOf('mcp-sentinel', 'mcp-sentinel-user-api-keys'),
      ],
    ),
    ...['basic-auth', 'ssh-auth', 'dockerconfigjson'].map(
      (type): Claim => [`certificate in a Secret of type ${type}`, 'tls', typed(`kubernetes.io/${type}`)],
    ),
    ['the anchor', 'platform-config', configOf('kube-system', 'mcprt-anchor', { generation: '0' })],
    [
      'key of the code’s version',
      'platform-config',
      configOf(config.namespace, config.name, { API_BASE: 'http://evil' }),
    ],
    ['unknown key', 'platform-config', configOf(config.namespace, config.name, { EXTRA: '1' })],
    ['other ConfigMap', 'platform-config', configOf('registry', 'planted', { OIDC_ISSUER: 'http://evil' })],
    ['ConfigMap as TLS Secret', 'tls', configOf('registry', 'planted', {})],
    ['Secret as ConfigMap', 'platform-config', secretOf('registry', 'planted')],
    ['Secret as Namespace', 'namespace', secretOf('registry', 'planted')],
    ['Namespace as Secret', 'platform-secret', namespaceOf('planted')],
    [
      'Namespace in a namespace',
      'namespace',
      { ...namespaceOf('planted'), metadata: { name: 'planted', namespace: 'x' } },
    ],
    ['Secret without a namespace', 'platform-secret', { ...secretOf('', 'planted'), metadata: { name: 'planted' } }],
  ];
}

/** Objects of allowed kinds in a form that the API server would refuse, perhaps half-way through a restore. */
function oddItems(): Claim[] {
  const named = (name: string, namespace = 'registry'): Item => secretOf(namespace, name);
  const role = 'issuer-secret';
  const withMetadata = (more: Record<string, unknown>): Item => ({
    ...secretOf('registry', 'planted'),
    metadata: { name: 'planted', namespace: 'registry', ...more },
  });
  return [
    ['path in a name', role, named('../../kube-system/secrets/x')],
    ['slash in a namespace', role, named('planted', 'registry/../kube-system')],
    ['capital letters', role, named('Registry-TLS')],
    ['capital letters in a namespace', role, named('planted', 'Registry')],
    ['empty name', role, named('')],
    ['long name', role, named('x'.repeat(254))],
    ['new line in a name', role, named('planted\n::set-env name=X::y')],
    ['letters of another script', role, named('plаnted')],
    ['owner', role, withMetadata({ ownerReferences: [] })],
    ['finalizer', role, withMetadata({ finalizers: ['x/y'] })],
    ['UID', role, withMetadata({ uid: 'x' })],
    ['label that is no text', role, withMetadata({ labels: { x: 1 } })],
    ['stringData', role, secretOf('registry', 'planted', { stringData: { x: 'y' } })],
    ['status', role, secretOf('registry', 'planted', { status: {} })],
    ['path in a key', role, secretOf('registry', 'planted', { data: { '../x': value } })],
    ['value that is no text', role, secretOf('registry', 'planted', { data: { x: 1 } })],
    ['value that is no base64', role, secretOf('registry', 'planted', { data: { x: 'plain text!' } })],
    ['value that is cut', role, secretOf('registry', 'planted', { data: { x: 'abc' } })],
  ];
}
