import type { Certificate, CertificateRequest, Ingress, Secret } from '../certificates/model.js';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds, nameOf } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { type Layout, layoutOf, platformNamespaces } from '../platform/resources.js';
import { type Anchor, readAnchor } from './anchor.js';
import { isCanary } from './barrier.js';
import { type CertManager, controllerOf, controllers } from './controller.js';

export type LiveCertificate = KubeObject & Certificate;
export type LiveRequest = KubeObject & CertificateRequest;
export type LiveIngress = KubeObject & Ingress;
export type LiveSecret = KubeObject & Secret;
export type LiveIssuer = KubeObject & { spec: Record<string, unknown> };

/** What is read of a cluster before anything is decided. No Secret is in it. */
export interface Observation {
  fingerprint: string;
  /** The API server's clock: decisions about expiry do not trust the runner's. */
  now: Date;
  certificates: LiveCertificate[];
  requests: LiveRequest[];
  issuers: LiveIssuer[];
  ingresses: LiveIngress[];
  namespaces: KubeObject[];
  certManager: CertManager;
  layout: Layout;
  anchor: Anchor | undefined;
  /** API groups with their served versions. */
  groups: Map<string, string[]>;
}

/** Reads a cluster, everything at once: one list per kind. */
export async function observe(cluster: Cluster): Promise<Observation> {
  const [
    system,
    certificates,
    requests,
    issuers,
    clusterIssuers,
    ingresses,
    namespaces,
    found,
    workloads,
    anchor,
    groups,
  ] = await Promise.all([
    cluster.get(kinds.namespace, { name: 'kube-system' }),
    cluster.list(kinds.certificate),
    cluster.list(kinds.certificateRequest),
    cluster.list(kinds.issuer),
    cluster.list(kinds.clusterIssuer),
    cluster.list(kinds.ingress),
    cluster.list(kinds.namespace),
    controllers(cluster),
    cluster.list(kinds.deployment, { namespace: platformNamespaces.sentinel }),
    readAnchor(cluster),
    cluster.groups(),
  ]);
  const certManager = await controllerOf(cluster, found);
  const fingerprint = system?.metadata.uid;
  const now = cluster.serverTime();
  if (fingerprint === undefined || now === undefined) {
    throw new McprtError('cluster-unknown', {
      what: 'the cluster cannot be told from others',
      why: 'namespace kube-system has no UID, or the API server sends no Date header',
      next: 'check that the kubeconfig points at a Kubernetes API server and not at a proxy page',
    });
  }
  return {
    fingerprint,
    now,
    certificates: certificates.items.filter((one) => !isCanary(one)).map(asCertificate),
    requests: requests.items.filter((one) => !isCanary(one)).map(asRequest),
    issuers: [...issuers.items, ...clusterIssuers.items].map(asIssuer),
    ingresses: ingresses.items.map(asIngress),
    namespaces: namespaces.items,
    certManager,
    layout: layoutOf(workloads.items.map((workload) => workload.metadata.name)),
    anchor,
    groups,
  };
}

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
    next: 'run `init --accounts` again: it grants the names that the cluster has now; or add them to the `resourceNames` of the manifest in docs/rbac, and `kubectl apply -f` it',
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

/** `namespace/name`. */
export function keyOf(ref: { namespace?: string; name: string }): string {
  return `${ref.namespace ?? ''}/${ref.name}`;
}

/** `namespace/name` of the Secret that a Certificate names. */
export function secretKeyOf({ metadata, spec }: Certificate): string {
  return keyOf({ namespace: metadata.namespace ?? '', name: spec.secretName });
}

/** Who makes a Certificate: ingress-shim for an Ingress that owns it, or somebody by hand. */
export function makerOf({ metadata }: LiveCertificate): 'shim' | 'explicit' {
  return metadata.ownerReferences?.some(({ kind }) => kind === 'Ingress') ? 'shim' : 'explicit';
}

// What the API server sends was checked against the kinds' schemas by the server itself; these look at what we read.
function asCertificate(object: KubeObject): LiveCertificate {
  const spec = specOf(object);
  if (typeof spec.secretName !== 'string' || !isRecord(spec.issuerRef)) throw unexpected(object);
  return object as LiveCertificate;
}

function asRequest(object: KubeObject): LiveRequest {
  if (typeof specOf(object).request !== 'string') throw unexpected(object);
  return object as LiveRequest;
}

function asIssuer(object: KubeObject): LiveIssuer {
  return { ...object, spec: specOf(object) };
}

function asIngress(object: KubeObject): LiveIngress {
  specOf(object);
  return object as LiveIngress;
}

/** A Secret or ConfigMap read from the API. */
export function asSecret(object: KubeObject): LiveSecret {
  const data = object.data ?? {};
  if (!isRecord(data) || !Object.values(data).every((value) => typeof value === 'string')) throw unexpected(object);
  return object as LiveSecret;
}

/** Tells a masker every value of a Secret, as it is stored and as it is used. */
export function maskValues(secret: LiveSecret, mask: (secret: string) => void): void {
  for (const encoded of Object.values(secret.data ?? {})) {
    mask(encoded);
    mask(Buffer.from(encoded, 'base64').toString('utf8'));
  }
}

function specOf(object: KubeObject): Record<string, unknown> {
  const spec = object.spec;
  if (!isRecord(spec)) throw unexpected(object);
  return spec;
}

function unexpected(object: KubeObject): McprtError {
  return new McprtError('cluster-unexpected', {
    what: `${nameOf(object)} does not have the shape of its kind`,
    why: `its API version is ${object.apiVersion}`,
    next: 'check that the kind’s CustomResourceDefinition is the one of the program that owns it',
  });
}
