import { controllingOwner, type Secret, secretBytes } from '../certificates/model.js';
import { certManagerVersion } from '../certificates/version.js';
import type { CertificateFacts } from '../certificates/x509.js';
import { decodeLeaf } from '../certificates/x509.js';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, keyOf, kinds, nameOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';

export type LiveSecret = KubeObject & Secret;

/** From how many namespaces a Secret of one name is worth a list instead of single reads. */
const worthListing = 8;

/**
 * Reads Secrets by name, in parallel; what is not there is missing in the answer.
 *
 * @throws McprtError `permission-missing`, with each that the credentials may not read
 */
export async function readSecrets(cluster: Cluster, refs: readonly SecretRef[]): Promise<Map<string, LiveSecret>> {
  const { secrets, forbidden } = await readableSecrets(cluster, refs);
  if (forbidden.length === 0) return secrets;
  throw new McprtError('permission-missing', {
    what: `the credentials may not read ${forbidden.length} Secret${forbidden.length === 1 ? '' : 's'} that the cluster refers to; nothing was changed`,
    why: forbidden.map(({ namespace, name }) => `get secrets ${name} in ${namespace}`).join('\n'),
    next: 'run `init --accounts` again: it grants the names that the cluster has now; or, where the access is of your own making, add them to the `resourceNames` of the manifest in docs/rbac, and `kubectl apply --server-side -f` it',
  });
}

interface SecretRef {
  namespace: string;
  name: string;
}

/** The same for whoever can do without: what may not be read is named. */
export async function readableSecrets(
  cluster: Cluster,
  refs: readonly SecretRef[],
): Promise<{ secrets: Map<string, LiveSecret>; forbidden: SecretRef[] }> {
  const forbidden: SecretRef[] = [];
  const unique = new Map(refs.map((ref) => [keyOf(ref), { namespace: ref.namespace, name: ref.name }]));
  const sameName = Map.groupBy(unique.values(), ({ name }) => name);
  const found = await Promise.all([...sameName].map(([name, group]) => readSameName(cluster, name, group, forbidden)));
  const secrets = new Map(
    found
      .flat()
      .map((secret) => [keyOf(secret.metadata), asSecret(secret)] as const)
      .filter(([key]) => unique.has(key)),
  );
  return { secrets, forbidden };
}

/** Every tenant has a pull Secret of the same name: a thousand of them are two pages of one list. */
async function readSameName(
  cluster: Cluster,
  name: string,
  refs: readonly SecretRef[],
  forbidden: SecretRef[],
): Promise<KubeObject[]> {
  if (refs.length >= worthListing) {
    try {
      return (await cluster.list(kinds.secret, { fieldSelector: `metadata.name=${name}` })).items;
    } catch (error) {
      // A role may grant reads by name only.
      if (!(error instanceof ApiError && error.status === 403)) throw error;
    }
  }
  const found = await Promise.all(
    refs.map((ref) =>
      cluster.get(kinds.secret, ref).catch((error: unknown) => {
        if (!(error instanceof ApiError && error.status === 403)) throw error;
        forbidden.push(ref);
        return undefined;
      }),
    ),
  );
  return found.flatMap((secret) => secret ?? []);
}

/** A Secret or ConfigMap read from the API. */
export function asSecret(object: KubeObject): LiveSecret {
  const data = object.data ?? {};
  if (!isRecord(data) || !Object.values(data).every((value) => typeof value === 'string')) throw unexpected(object);
  return object as LiveSecret;
}

/**
 * What looks after an object, such as `ExternalSecret web`: an owner that controls it and writes it again as it knows it.
 * Undefined where nobody does; cert-manager's own writes are forecast, and do not count.
 */
export function caretakerOf({ metadata }: Pick<KubeObject, 'metadata'>): string | undefined {
  const owner = controllingOwner(metadata);
  return owner === undefined || owner.apiVersion.startsWith('cert-manager.io/')
    ? undefined
    : `${owner.kind} ${owner.name}`;
}

/** Tells a masker every value of a Secret, as it is stored and as it is used. */
export function maskValues(secret: LiveSecret, mask: (secret: string) => void): void {
  for (const encoded of Object.values(secret.data ?? {})) {
    mask(encoded);
    mask(Buffer.from(encoded, 'base64').toString('utf8'));
  }
}

/** The leaf of a TLS Secret, if it has one that can be read. */
export function leafOf(
  secret: Pick<LiveSecret, 'metadata' | 'data'> | undefined,
  version: string,
): CertificateFacts | undefined {
  if (secret === undefined) return undefined;
  const leaf = decodeLeaf(secretBytes(secret, 'tls.crt'), certManagerVersion(version));
  return leaf.ok ? leaf.value : undefined;
}

/** What does not have the shape of its kind. */
export function unexpected(object: KubeObject): McprtError {
  return new McprtError('cluster-unexpected', {
    what: `${nameOf(object)} does not have the shape of its kind`,
    why: `its API version is ${object.apiVersion}`,
    next: 'check that the kind’s CustomResourceDefinition is the one of the program that owns it',
  });
}
