import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import { type Kind, type KubeObject, kinds } from '../../shared/cluster/objects.js';

type Content = Parameters<typeof objectOf>[1];

/** An object of a kind, with its kind. */
export function pairOf(kind: Kind, content: Content): [Kind, KubeObject] {
  return [kind, objectOf(kind, content)];
}

/** Makes an object that is not there yet. */
export function createObject(
  cluster: Cluster,
  kind: Kind,
  content: Content,
  options?: Parameters<Cluster['create']>[2],
): Promise<KubeObject> {
  return cluster.create(kind, objectOf(kind, content), options);
}

/** Makes an object, or sets what is given of it. */
export function applyObject(
  cluster: Cluster,
  kind: Kind,
  content: Content,
  options?: Parameters<Cluster['apply']>[2],
): Promise<KubeObject> {
  return cluster.apply(kind, objectOf(kind, content), options);
}

/** An object as it is written for the first time. */
export function asNew({ status: _status, ...object }: KubeObject): KubeObject {
  const { name, namespace, labels, annotations, ownerReferences } = object.metadata;
  return {
    ...object,
    metadata: {
      name,
      ...(namespace && { namespace }),
      ...(labels && { labels }),
      ...(annotations && { annotations }),
      ...(ownerReferences && { ownerReferences }),
    },
  };
}

/** The definition of a kind whose fields are left open. */
export function openKind(kind: string, group: string, version: string): KubeObject {
  const plural = `${kind.toLowerCase()}s`;
  const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  return objectOf(kinds.crd, {
    metadata: { name: `${plural}.${group}` },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: version,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: { type: 'object', properties: { spec: open, status: open } } },
        },
      ],
    },
  });
}
