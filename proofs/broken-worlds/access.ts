import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from '../../lab/driver/until.js';
import { recordsAt, textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { manifestOf } from '../../shared/permissions/manifest.js';
import { grants } from '../../shared/permissions/operations.js';
import type { Topic } from './case.js';
import type { Site } from './site.js';

const name = 'mcprt-viewer';
const account = { namespace: 'default', name };

/** Credentials that may not do everything: a ServiceAccount's own token. */
export const access: Topic = {
  topic: 'access',
  cases: [
    {
      name: 'a check that may read all but nodes and classes',
      code: 'permission-missing',
      evidence: /list nodes\nlist ingressclasses\.networking\.k8s\.io\nlist storageclasses/,
      remedy: /docs\/permissions\.md/,
      bundle: true,
      make: async (site) => site.lookWith({ kubeconfig: await viewer(site, withoutNodes) }),
    },
    {
      name: 'an installation that may read everything, and write nothing',
      code: 'permission-missing',
      evidence: /create clusterroles\.rbac\.authorization\.k8s\.io/,
      bundle: true,
      small: true,
      make: async (site) => site.lookWith({ kubeconfig: await viewer(site, everything), forSetup: true }),
    },
    {
      name: 'an installation that may do all but run something in a pod',
      code: 'permission-missing',
      evidence: /^get pods\/exec\ncreate pods\/exec$/,
      small: true,
      make: async (site) => site.lookWith({ kubeconfig: await viewer(site, installerWithoutExec()), forSetup: true }),
    },
  ],
};

/** The generated role of an installation, in the whole cluster, without what fills the registry. */
function installerWithoutExec(): unknown[] {
  const objects = [...grants].flatMap(([name, operation]) => (name === 'install' ? manifestOf(name, operation) : []));
  return objects
    .flatMap((object) => recordsAt(object, 'rules'))
    .filter(({ resources }) => !(Array.isArray(resources) && resources.includes('pods/exec')));
}

const read = ['get', 'list', 'watch'];
const everything = [{ apiGroups: ['*'], resources: ['*'], verbs: read }];
const withoutNodes = [
  {
    apiGroups: [''],
    resources: [
      ...['namespaces', 'secrets', 'configmaps', 'services', 'pods', 'events', 'persistentvolumeclaims'],
      'serviceaccounts',
    ],
    verbs: read,
  },
  {
    apiGroups: ['apps', 'cert-manager.io', 'acme.cert-manager.io', 'admissionregistration.k8s.io', 'mcpruntime.org'],
    resources: ['*'],
    verbs: read,
  },
  { apiGroups: ['apiregistration.k8s.io'], resources: ['apiservices'], verbs: read },
  { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs: read },
];

/** A kubeconfig of a ServiceAccount with these rules; its token is made by the controller-manager. */
async function viewer(site: Site, rules: unknown[]): Promise<string> {
  await site.add(kinds.serviceAccount, { metadata: account });
  await site.add(kinds.clusterRole, { metadata: { name }, rules });
  await site.add(kinds.clusterRoleBinding, {
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', ...account }],
  });
  const annotations = { 'kubernetes.io/service-account.name': name };
  const secret = { metadata: { ...account, annotations }, type: 'kubernetes.io/service-account-token' };
  await site.add(kinds.secret, secret);
  const token = await tokenOf(site);
  const file = join(site.folder, 'viewer.yaml');
  const admin = await readFile(site.kubeconfig, 'utf8');
  await writeFile(file, admin.replace(/token: .*/, `token: ${token}`), { mode: 0o600 });
  return file;
}

async function tokenOf({ cluster }: Site): Promise<string> {
  const token = await until('a token of the ServiceAccount', async () => {
    const data = textAt(await cluster.get<KubeObject>(kinds.secret, account), 'data', 'token');
    return data === '' ? undefined : data;
  });
  return Buffer.from(token, 'base64').toString();
}
