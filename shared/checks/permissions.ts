import type { Cluster } from '../cluster/cluster.js';
import { objectOf } from '../cluster/cluster.js';
import { at } from '../cluster/fields.js';
import { kinds } from '../cluster/objects.js';
import { platformNamespaces } from '../platform/resources.js';
import type { Permission } from './world.js';

type Wanted = Omit<Permission, 'allowed'>;

const { registry, sentinel, runtime } = platformNamespaces;

/** What a look at the cluster needs. */
export const checkPermissions: readonly Wanted[] = [
  ...['nodes', 'namespaces', 'ingressclasses.networking.k8s.io', 'storageclasses.storage.k8s.io'].map(list),
  ...['certificates', 'certificaterequests', 'issuers', 'clusterissuers'].map((name) =>
    list(`${name}.cert-manager.io`),
  ),
  ...['orders', 'challenges'].map((name) => list(`${name}.acme.cert-manager.io`)),
  list('ingresses.networking.k8s.io'),
];

/** What setup needs on top: the platform's installer makes roles, kinds and webhooks, which only an administrator may. */
export const setupPermissions: readonly Wanted[] = [
  ...checkPermissions,
  ...['customresourcedefinitions.apiextensions.k8s.io', 'clusterissuers.cert-manager.io'].map((name) =>
    verb('create', name),
  ),
  verb('create', 'clusterroles.rbac.authorization.k8s.io'),
  verb('create', 'clusterrolebindings.rbac.authorization.k8s.io'),
  verb('create', 'namespaces'),
  verb('create', 'validatingwebhookconfigurations.admissionregistration.k8s.io'),
  verb('create', 'validatingadmissionpolicies.admissionregistration.k8s.io'),
  verb('patch', 'deployments.apps', 'kube-system'),
  ...[registry, sentinel, runtime].flatMap((namespace) => [
    verb('get', 'secrets', namespace),
    verb('create', 'secrets', namespace),
    verb('patch', 'secrets', namespace),
    verb('create', 'deployments.apps', namespace),
  ]),
  verb('create', 'configmaps', 'kube-system'),
  verb('create', 'pods', registry),
  verb('delete', 'pods', registry),
  verb('create', 'certificates.cert-manager.io', registry),
  verb('update', 'ingresses.networking.k8s.io', registry),
  verb('patch', 'ingresses.networking.k8s.io', registry),
];

/** Asks the API server what these credentials may do. An administrator is recognised by one question. */
export async function reviewPermissions(cluster: Cluster, wanted: readonly Wanted[]): Promise<Permission[]> {
  if (wanted.length === 0) return [];
  if (await isAllowed(cluster, { verb: '*', resource: '*.*', namespace: undefined })) {
    return wanted.map((one) => ({ ...one, allowed: true }));
  }
  return Promise.all(wanted.map(async (one) => ({ ...one, allowed: await isAllowed(cluster, one) })));
}

async function isAllowed(cluster: Cluster, { verb: word, resource, namespace }: Wanted): Promise<boolean> {
  const [plural, ...group] = resource.split('.');
  const review = await cluster.create(
    kinds.selfSubjectAccessReview,
    objectOf(kinds.selfSubjectAccessReview, {
      metadata: { name: '' },
      spec: {
        resourceAttributes: {
          verb: word,
          group: group.join('.'),
          resource: plural,
          ...(namespace === undefined ? {} : { namespace }),
        },
      },
    }),
  );
  return at(review, 'status', 'allowed') === true;
}

function list(resource: string): Wanted {
  return verb('list', resource);
}

function verb(word: string, resource: string, namespace?: string): Wanted {
  return { verb: word, resource, namespace };
}
