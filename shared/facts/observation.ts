import type { Gateway } from '../certificates/gateway-shim.js';
import type { Certificate, CertificateRequest, Ingress } from '../certificates/model.js';
import { ApiError } from '../cluster/api-error.js';
import type { Cluster } from '../cluster/cluster.js';
import { recordsAt, textAt, textsAt } from '../cluster/fields.js';
import { type Kind, type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { layoutOf, platformConfig, platformNamespaces } from '../platform/resources.js';
import { readAnchor } from './anchor.js';
import { controllerOf, controllers } from './cert-manager.js';
import { observeLock } from './lock.js';
import { unexpected } from './secrets.js';

export type LiveCertificate = KubeObject & Certificate;
export type LiveRequest = KubeObject & CertificateRequest;
export type LiveIngress = KubeObject & Ingress;
export type LiveGateway = KubeObject & Gateway;
export type LiveIssuer = KubeObject & { spec: Record<string, unknown> };

interface Selection {
  namespace?: string;
  fieldSelector?: string;
}

/** How a part is read. What the credentials may not read ends an observation, or is missing in it, as its reader wants. */
interface Reading {
  cluster: Cluster;
  attempt<T>(what: string, answer: Promise<T>): Promise<T | undefined>;
}

/** Namespaces whose workloads matter; tenants' own servers are theirs to look after. */
const watched = [
  'kube-system',
  'cert-manager',
  platformNamespaces.runtime,
  platformNamespaces.sentinel,
  platformNamespaces.registry,
];
const inSentinel = { namespace: platformNamespaces.sentinel };

async function list({ cluster, attempt }: Reading, kind: Kind, inside: Selection = {}): Promise<KubeObject[]> {
  const what = inside.namespace === undefined ? kind.plural : `${kind.plural} in ${inside.namespace}`;
  return (await attempt(what, cluster.list(kind, inside)))?.items ?? [];
}

async function lists(reading: Reading, wanted: readonly Kind[]): Promise<KubeObject[]> {
  return (await Promise.all(wanted.map((kind) => list(reading, kind)))).flat();
}

async function watchedLists(reading: Reading, wanted: readonly Kind[], inside: Selection = {}): Promise<KubeObject[]> {
  const all = wanted.flatMap((kind) => watched.map((namespace) => list(reading, kind, { namespace, ...inside })));
  return (await Promise.all(all)).flat();
}

/** What can be observed of a cluster, and how: by one list for each kind, and no Secret. */
const parts = {
  certificates: async (reading: Reading): Promise<LiveCertificate[]> =>
    (await list(reading, kinds.certificate)).filter((one) => !isCanary(one)).map(asCertificate),
  requests: async (reading: Reading): Promise<LiveRequest[]> =>
    (await list(reading, kinds.certificateRequest)).filter((one) => !isCanary(one)).map(asRequest),
  issuers: async (reading: Reading): Promise<LiveIssuer[]> =>
    (await lists(reading, [kinds.issuer, kinds.clusterIssuer])).map(asIssuer),
  ingresses: async (reading: Reading): Promise<LiveIngress[]> => (await list(reading, kinds.ingress)).map(asIngress),
  /** Undefined where the credentials may not list them: accounts of before they counted are not refused for it. */
  gateways: async (reading: Reading): Promise<LiveGateway[] | undefined> => {
    if (!(await reading.cluster.serves(kinds.gateway))) return [];
    const found = await orUnseen([])('Gateways', reading.cluster.list(kinds.gateway));
    return found?.items.map(asGateway);
  },
  namespaces: (reading: Reading) => list(reading, kinds.namespace),
  certManager: async ({ cluster }: Reading) => controllerOf(cluster, await controllers(cluster)),
  layout: async (reading: Reading) =>
    layoutOf((await list(reading, kinds.deployment, inSentinel)).map(({ metadata }) => metadata.name)),
  anchor: ({ cluster }: Reading) => readAnchor(cluster),
  /** API groups with their served versions. */
  groups: ({ cluster }: Reading) => cluster.groups(),
  /** Whether orders can be denied by admission: the policies joined a group that was there before, in Kubernetes 1.30. */
  canBrake: ({ cluster }: Reading) => cluster.serves(kinds.admissionPolicy),
  /** Who keeps cert-manager from ordering, and until when, while a restore or wipe is under way or was killed. */
  lock: ({ cluster, attempt }: Reading) => attempt('ValidatingAdmissionPolicies', observeLock(cluster)),
  /** What mcp-sentinel-config says; undefined when it is not there. */
  config: async ({ cluster, attempt }: Reading) => {
    const found = await attempt('the platform’s ConfigMap', cluster.get<KubeObject>(kinds.configMap, platformConfig));
    return found && textsAt(found, 'data');
  },
  nodes: (reading: Reading) => list(reading, kinds.node),
  deployments: (reading: Reading) => list(reading, kinds.deployment, inSentinel),
  statefulSets: (reading: Reading) => list(reading, kinds.statefulSet, inSentinel),
  daemonSets: (reading: Reading) => list(reading, kinds.daemonSet, inSentinel),
  workloads: (reading: Reading) => watchedLists(reading, [kinds.deployment, kinds.statefulSet, kinds.daemonSet]),
  pods: (reading: Reading) => watchedLists(reading, [kinds.pod]),
  services: (reading: Reading) => watchedLists(reading, [kinds.service]),
  claims: (reading: Reading) => watchedLists(reading, [kinds.persistentVolumeClaim]),
  warnings: (reading: Reading) => watchedLists(reading, [kinds.event], { fieldSelector: 'type=Warning' }),
  networkPolicies: (reading: Reading) => list(reading, kinds.networkPolicy),
  ingressClasses: (reading: Reading) => list(reading, kinds.ingressClass),
  storageClasses: (reading: Reading) => list(reading, kinds.storageClass),
  apiServices: (reading: Reading) => list(reading, kinds.apiService),
  webhooks: (reading: Reading) =>
    lists(reading, [kinds.mutatingWebhookConfiguration, kinds.validatingWebhookConfiguration]),
  orders: (reading: Reading) => list(reading, kinds.order),
  challenges: (reading: Reading) => list(reading, kinds.challenge),
  /** MCP Runtime's own objects, wherever they are. */
  platformObjects: (reading: Reading) => lists(reading, [kinds.mcpServer, kinds.mcpAccessGrant, kinds.mcpAgentSession]),
  clusterRoles: (reading: Reading) => list(reading, kinds.clusterRole),
  clusterRoleBindings: (reading: Reading) => list(reading, kinds.clusterRoleBinding),
  volumes: (reading: Reading) => list(reading, kinds.persistentVolume),
} satisfies Record<string, (reading: Reading) => Promise<unknown>>;

type Part = keyof typeof parts;
/** Everything that can be observed, each part by its name. */
export type Facts = { [Name in Part]: Awaited<ReturnType<(typeof parts)[Name]>> };

/** When and where something was observed. */
export interface Seen {
  /** The UID of kube-system: what tells a cluster from others. */
  fingerprint: string;
  /** The API server's clock: decisions about expiry do not trust the runner's. */
  now: Date;
}

/** The parts that every decision about certificates is made from. */
export const certificateParts = [
  'certificates',
  'requests',
  'issuers',
  'ingresses',
  'gateways',
  'namespaces',
  'certManager',
  'layout',
  'anchor',
  'groups',
  'canBrake',
] as const;

/** What every decision about certificates is made from. */
export type Observation = Seen & Pick<Facts, (typeof certificateParts)[number]>;

/** Observes what every decision about certificates is made from. */
export async function observe(cluster: Cluster): Promise<Observation> {
  return observeParts(cluster, certificateParts);
}

/**
 * Observes parts of a cluster, everything at once.
 *
 * @throws McprtError `cluster-unknown`; ApiError for what may not be read
 */
export async function observeParts<Name extends Part>(
  cluster: Cluster,
  names: readonly Name[],
): Promise<Seen & Pick<Facts, Name>> {
  const [system, facts] = await Promise.all([
    cluster.get(kinds.namespace, { name: 'kube-system' }),
    readParts({ cluster, attempt: (_, answer) => answer }, names),
  ]);
  const fingerprint = system?.metadata.uid;
  const now = cluster.serverTime();
  if (fingerprint !== undefined && now !== undefined) return { fingerprint, now, ...facts };
  throw new McprtError('cluster-unknown', {
    what: 'the cluster cannot be told from others',
    why: 'namespace kube-system has no UID, or the API server sends no Date header',
    next: 'check that the kubeconfig points at a Kubernetes API server and not at a proxy page',
  });
}

/** The same for whoever can do without: what the credentials may not read is empty or undefined, and named in `unseen`. */
export async function observeReadable<Name extends Part>(
  cluster: Cluster,
  names: readonly Name[],
  unseen: string[],
): Promise<Pick<Facts, Name>> {
  return readParts({ cluster, attempt: orUnseen(unseen) }, names);
}

/** Notes what the credentials may not read, in place of failing. */
export function orUnseen(unseen: string[]): Reading['attempt'] {
  return (what, answer) =>
    answer.catch((error: unknown) => {
      const isForbidden =
        (error instanceof ApiError && error.status === 403) ||
        (error instanceof McprtError && error.code === 'permission-missing');
      if (!isForbidden) throw error;
      unseen.push(what);
      return undefined;
    });
}

async function readParts<Name extends Part>(reading: Reading, names: readonly Name[]): Promise<Pick<Facts, Name>> {
  const read = await Promise.all(names.map(async (name) => [name, await parts[name](reading)] as const));
  // Each part was read by the reader of its name.
  return Object.fromEntries(read) as Pick<Facts, Name>;
}

/** `namespace/name` of the Secret that a Certificate names. */
export function secretKeyOf({ metadata, spec }: Certificate): string {
  return keyOf({ namespace: metadata.namespace ?? '', name: spec.secretName });
}

/** Who makes a Certificate: a shim for an Ingress or Gateway that owns it, or somebody by hand. */
export function makerOf({ metadata }: LiveCertificate): 'shim' | 'explicit' {
  return metadata.ownerReferences?.some(({ kind }) => kind === 'Ingress' || kind === 'Gateway') ? 'shim' : 'explicit';
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

function asGateway(object: KubeObject): LiveGateway {
  specOf(object);
  return object as LiveGateway;
}

function specOf(object: KubeObject): Record<string, unknown> {
  const spec = object.spec;
  if (!isRecord(spec)) throw unexpected(object);
  return spec;
}

/**
 * The Certificate that a public host is served with: it has the host, and an Ingress names its Secret. The registry's
 * private certificate has the registry's public host too, and is served to nobody outside.
 */
export function publicCertificateOf(
  { certificates, ingresses }: Pick<Observation, 'certificates' | 'ingresses'>,
  host: string,
): LiveCertificate | undefined {
  const served = ingresses.flatMap((one) =>
    recordsAt(one, 'spec', 'tls').map((tls) => `${one.metadata.namespace}/${textAt(tls, 'secretName')}`),
  );
  return certificates.find(
    ({ metadata, spec }) =>
      (spec.dnsNames ?? []).includes(host) && served.includes(`${metadata.namespace}/${spec.secretName}`),
  );
}

/** How the objects begin by which a restore sees what cert-manager has seen. */
export const canaryPrefix = 'mcprt-barrier-';

/** Whether an object is a canary's: a run that was killed leaves it, and no decision may count it. */
export function isCanary({ metadata }: { metadata: { name: string } }): boolean {
  return metadata.name.startsWith(canaryPrefix);
}
