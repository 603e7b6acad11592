import pMap from 'p-map';
import { annotation, label } from '../certificates/model.js';
import { type Cluster, isNotFound, type Ref } from '../cluster/cluster.js';
import { keyOf, kinds } from '../cluster/objects.js';
import { setting } from '../cluster/patches.js';
import type { LiveSecret } from '../facts/secrets.js';

const parallelWrites = 16;

/**
 * Live Secrets of certificates without the label that cert-manager gives its own. It has two caches, one for each class, and
 * puts the label on when it comes across such a Secret: for a moment it may find the Secret in neither, and order.
 *
 * @param claimed `namespace/name` of the Secrets that live Certificates name
 */
export function unlabelledOf(live: Iterable<LiveSecret>, claimed: ReadonlySet<string>): LiveSecret[] {
  return [...live].filter(
    ({ kind, metadata, data }) =>
      kind === 'Secret' &&
      data?.['tls.crt'] !== undefined &&
      metadata.deletionTimestamp === undefined &&
      metadata.labels?.[label.partOfCertManager] !== 'true' &&
      (claimed.has(keyOf(metadata)) || metadata.annotations?.[annotation.certificateName] !== undefined),
  );
}

/** What a plan says of such a Secret. */
export function unlabelledWarning({ metadata }: LiveSecret): string {
  return `Secret ${keyOf(metadata)} lacks cert-manager’s label ${label.partOfCertManager}: when it puts the label on, it may look for the Secret in vain for a moment, and order. A restore puts it on first, under the brake`;
}

/** Puts the label on. One that is gone by now needs none. @throws ApiError */
export async function putLabels(cluster: Cluster, secrets: readonly LiveSecret[]): Promise<void> {
  await pMap(
    secrets,
    async (secret) => {
      const { namespace = '', name } = secret.metadata;
      const ref: Ref = { namespace, name };
      const patch = setting(secret, 'labels', label.partOfCertManager, 'true');
      await cluster.patch(kinds.secret, ref, patch).catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
    },
    { concurrency: parallelWrites },
  );
}
