import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type Cluster, isConflict, isNotFound, objectOf } from '../../shared/cluster/cluster.js';
import { recordsAt, textsAt } from '../../shared/cluster/fields.js';
import { type Kind, type KubeObject, keyOf, kinds } from '../../shared/cluster/objects.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { others } from './objects.js';

/** A stand-in of a program that makes Secrets from objects of its own, and keeps them as it knows them. */
export interface Operator {
  /** What it has refused to touch, as `namespace/name`. */
  refused: ReadonlySet<string>;
  /** What came of its last round, for whoever waits for it in vain. */
  state(): string;
  stop(): Promise<void>;
}

type Decide = (present: KubeObject | undefined, owner: KubeObject) => boolean;

/**
 * External Secrets: whatever a Secret holds is put right, and it is taken for its own. The values stand in `spec.data`, where the real
 * one has references to a vault.
 */
export const externalSecrets = (cluster: Cluster): Operator => operate(cluster, others.externalSecret, () => true);

/** Sealed Secrets: one that is there and was not made by it is left alone, unless its annotation says that it may be taken over. */
export const sealedSecrets = (cluster: Cluster): Operator =>
  operate(
    cluster,
    others.sealedSecret,
    (present, owner) =>
      present === undefined ||
      ownedBy(present, owner) ||
      present.metadata.annotations?.['sealedsecrets.bitnami.com/managed'] === 'true',
  );

function operate(cluster: Cluster, kind: Kind, mayWrite: Decide): Operator {
  const refused = new Set<string>();
  let isOver = false;
  let state = 'has not looked yet';
  const loop = async (): Promise<void> => {
    while (!isOver) {
      const { items } = await cluster.list<KubeObject>(kind);
      state = `${items.length} to look after`;
      for (const owner of items) state = await reconcile(cluster, owner, mayWrite, refused);
      await sleep(20);
    }
  };
  const running = loop();
  // Whoever waits for it is told, and whoever stops it gets the error.
  running.catch((error: unknown) => {
    state = `has ended: ${messageOf(error)}`;
  });
  return {
    refused,
    state: () => state,
    async stop() {
      isOver = true;
      await running;
    },
  };
}

async function reconcile(cluster: Cluster, owner: KubeObject, mayWrite: Decide, refused: Set<string>): Promise<string> {
  const ref = { namespace: owner.metadata.namespace ?? '', name: owner.metadata.name };
  const present = await cluster.get<KubeObject>(kinds.secret, ref);
  if (!mayWrite(present, owner)) {
    refused.add(keyOf(ref));
    return 'refused';
  }
  const data = textsAt(owner, 'spec', 'data');
  if (present !== undefined && ownedBy(present, owner) && isDeepStrictEqual(textsAt(present, 'data'), data))
    return 'as it is to be';
  const reference = {
    apiVersion: owner.apiVersion,
    kind: owner.kind,
    name: ref.name,
    uid: owner.metadata.uid ?? '',
    controller: true,
  };
  const ownerReferences = [reference];
  try {
    if (present === undefined) {
      const metadata = { ...ref, ownerReferences };
      await cluster.create(kinds.secret, objectOf(kinds.secret, { metadata, type: 'Opaque', data }));
    } else {
      await cluster.patch(kinds.secret, ref, [
        { op: 'test', path: '/metadata/resourceVersion', value: present.metadata.resourceVersion },
        { op: 'add', path: '/metadata/ownerReferences', value: ownerReferences },
        { op: 'add', path: '/data', value: data },
      ]);
    }
  } catch (error) {
    // Somebody was faster, or the namespace goes: it is looked at again.
    const isGoing = error instanceof McprtError && error.code === 'namespace-terminating';
    if (isConflict(error) || isNotFound(error) || isGoing) return String(error);
    throw error;
  }
  return 'written';
}

const ownedBy = ({ metadata }: KubeObject, owner: KubeObject): boolean =>
  recordsAt({ metadata }, 'metadata', 'ownerReferences').some(({ uid }) => uid === owner.metadata.uid);
