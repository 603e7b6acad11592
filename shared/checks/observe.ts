import { createHash } from 'node:crypto';
import { brakeHolder } from '../backup/brake.js';
import { keyOf, type LiveSecret, maskValues, type Observation, observe, readSecrets } from '../backup/observe.js';
import { assumedCertManager, leafOf } from '../backup/refusals.js';
import { ApiError } from '../cluster/api-error.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { at, textAt } from '../cluster/fields.js';
import { type Kind, type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { lackingOf } from '../permissions/review.js';
import type { PermissionRule } from '../permissions/rule.js';
import { type ReachOptions, reach } from '../platform/reach.js';
import { isManaged, platformConfig, platformNamespaces, pullSecretName } from '../platform/resources.js';
import type { Hosts } from '../profile/values.js';
import { explainStuck } from '../wipe/blockers.js';
import { publicCertificateOf } from './rules/certificates.js';
import type { InstallerFailure, PullSecret, World } from './world.js';

export interface LookOptions extends ReachOptions {
  hosts: Hosts;
  /** Whether to look at the public names from here. */
  names: boolean;
  imagePlatform: string | undefined;
  /** What the operation is going to do; nothing is asked about when it is empty. */
  rules: readonly PermissionRule[];
  backup: World['backup'];
  installer: InstallerFailure | undefined;
  mask: (secret: string) => void;
}

/** Looks at a cluster and its public names, everything at once; a few reads depend on what the first ones saw. */
export async function lookAround(cluster: Cluster, options: LookOptions): Promise<World> {
  const unseen: string[] = [];
  const list = async (
    kind: Kind,
    inside: { namespace?: string; fieldSelector?: string } = {},
  ): Promise<KubeObject[]> => {
    try {
      return (await cluster.list(kind, inside)).items;
    } catch (error) {
      if (!(error instanceof ApiError && error.status === 403)) throw error;
      unseen.push(`${kind.plural}${inside.namespace === undefined ? '' : ` in ${inside.namespace}`}`);
      return [];
    }
  };
  const inEach = async (kind: Kind, fieldSelector = ''): Promise<KubeObject[]> =>
    (
      await Promise.all(
        watched.map((namespace) => list(kind, { namespace, ...(fieldSelector === '' ? {} : { fieldSelector }) })),
      )
    ).flat();

  const first = await together({
    seen: observe(cluster),
    names: options.names ? reach(options.hosts, options) : Promise.resolve([]),
    lacking: lackingOf(cluster, options.rules),
    config: cluster
      .get<KubeObject>(kinds.configMap, platformConfig)
      .catch(forbidden(unseen, 'the platform’s ConfigMap')),
    admission: askAdmission(cluster),
    brake: brakeHolder(cluster).catch(forbidden(unseen, 'ValidatingAdmissionPolicies')),
    nodes: list(kinds.node),
    deployments: inEach(kinds.deployment),
    statefulSets: inEach(kinds.statefulSet),
    daemonSets: inEach(kinds.daemonSet),
    pods: inEach(kinds.pod),
    services: inEach(kinds.service),
    claims: inEach(kinds.persistentVolumeClaim),
    warnings: inEach(kinds.event, 'type=Warning'),
    networkPolicies: list(kinds.networkPolicy),
    ingressClasses: list(kinds.ingressClass),
    storageClasses: list(kinds.storageClass),
    apiServices: list(kinds.apiService),
    validating: list(kinds.validatingWebhookConfiguration),
    mutating: list(kinds.mutatingWebhookConfiguration),
    orders: list(kinds.order),
    challenges: list(kinds.challenge),
  });
  const {
    seen,
    config,
    deployments,
    statefulSets,
    daemonSets,
    ingressClasses,
    validating,
    mutating,
    lacking,
    ...rest
  } = first;
  const [pullSecrets, secretsServed, holders] = await Promise.all([
    comparePullSecrets(cluster, seen, options.mask).catch(forbidden(unseen, 'Secrets')),
    servedSecrets(cluster, seen, options).catch(forbidden(unseen, 'TLS Secrets')),
    holdersOf(cluster, seen),
  ]);
  return {
    ...rest,
    seen,
    hosts: options.hosts,
    imagePlatform: options.imagePlatform,
    workloads: [...deployments, ...statefulSets, ...daemonSets],
    ingressClasses: ingressClasses.map(({ metadata }) => metadata.name),
    admissionWebhooks: [...validating, ...mutating],
    ledger: seen.anchor?.ledger ?? [],
    config: config === undefined ? undefined : textsOf(config.data),
    pullSecrets: pullSecrets ?? [],
    holders,
    lacking: lacking ?? [],
    secretsServed: secretsServed ?? new Map(),
    backup: options.backup,
    installer: options.installer,
    unseen,
  };
}

/** Waits for all of them at once, and gives the results by the same names. */
async function together<T extends Record<string, Promise<unknown>>>(
  parts: T,
): Promise<{ [Name in keyof T]: Awaited<T[Name]> }> {
  const done = await Promise.all(Object.entries(parts).map(async ([name, part]) => [name, await part] as const));
  return Object.fromEntries(done) as { [Name in keyof T]: Awaited<T[Name]> };
}

/** Namespaces whose workloads matter; tenants' own servers are theirs to look after. */
const watched = [
  'kube-system',
  'cert-manager',
  platformNamespaces.runtime,
  platformNamespaces.sentinel,
  platformNamespaces.registry,
];

function forbidden(unseen: string[], what: string): (error: unknown) => undefined {
  return (error) => {
    const isForbidden =
      (error instanceof ApiError && error.status === 403) ||
      (error instanceof McprtError && error.code === 'permission-missing');
    if (!isForbidden) throw error;
    unseen.push(what);
    return undefined;
  };
}

/** A dry run of a Certificate: the API server asks cert-manager's webhook, and stores nothing. */
export async function askAdmission(cluster: Cluster): Promise<World['admission']> {
  const probe = objectOf(kinds.certificate, {
    metadata: { name: 'mcprt-admission-probe', namespace: 'default' },
    spec: { secretName: 'mcprt-admission-probe', dnsNames: ['probe.invalid'], issuerRef: { name: 'mcprt-probe' } },
  });
  try {
    await cluster.create(kinds.certificate, probe, { dryRun: true });
    return { state: 'ok', message: '' };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    // Other admission may refuse the probe for reasons of its own; that says nothing about cert-manager's.
    const isOurs = /failed calling webhook/.test(error.detail) && /cert-manager/.test(error.detail);
    return { state: isOurs ? 'failing' : 'unasked', message: error.detail };
  }
}

/** Compares each pull Secret's password with the key that the registry takes, by digest. */
async function comparePullSecrets(
  cluster: Cluster,
  seen: Observation,
  mask: (secret: string) => void,
): Promise<PullSecret[]> {
  const wanted = seen.namespaces
    .filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined &&
        (metadata.name === platformNamespaces.sentinel ||
          metadata.name === platformNamespaces.runtime ||
          isManaged(metadata)),
    )
    .map(({ metadata }) => ({ namespace: metadata.name, name: pullSecretName }));
  const source = { namespace: platformNamespaces.sentinel, name: 'mcp-sentinel-secrets' };
  const found = await readSecrets(cluster, [source, ...wanted]);
  for (const secret of found.values()) maskValues(secret, mask);
  const key = found.get(keyOf(source))?.data?.UI_API_KEY;
  if (key === undefined || seen.layout === 'unknown') return [];
  const current = digest(Buffer.from(key, 'base64').toString('utf8'));
  return wanted.map(({ namespace }): PullSecret => {
    const secret = found.get(keyOf({ namespace, name: pullSecretName }));
    if (secret === undefined) return { namespace, state: 'missing' };
    return { namespace, state: passwordsOf(secret).some((one) => digest(one) === current) ? 'current' : 'stale' };
  });
}

function passwordsOf(secret: LiveSecret): string[] {
  try {
    const text = Buffer.from(secret.data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8');
    const auths = at(JSON.parse(text), 'auths');
    return isRecord(auths) ? Object.values(auths).map((auth) => textAt(auth, 'password')) : [];
  } catch {
    // What is no JSON has no password in it; its text is secret, and so is the parser's message.
    return [];
  }
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The certificate that the cluster holds for each public host. */
async function servedSecrets(
  cluster: Cluster,
  seen: Observation,
  { hosts, mask }: LookOptions,
): Promise<World['secretsServed']> {
  const owners = Object.values(hosts).flatMap((host) => {
    const owner = publicCertificateOf(seen, host);
    return owner === undefined
      ? []
      : [{ host, ref: { namespace: owner.metadata.namespace ?? '', name: owner.spec.secretName } }];
  });
  const secrets = await readSecrets(
    cluster,
    owners.map(({ ref }) => ref),
  );
  for (const secret of secrets.values()) maskValues(secret, mask);
  return new Map(
    owners.map(({ host, ref }) => {
      const leaf = leafOf(secrets.get(keyOf(ref)), seen.certManager.version ?? assumedCertManager);
      return [host, { secret: keyOf(ref), serial: leaf?.serial }] as const;
    }),
  );
}

/** What keeps namespaces that are being deleted: objects with finalizers and failures, not what is merely under way. */
async function holdersOf(cluster: Cluster, seen: Observation): Promise<World['holders']> {
  const leaving = seen.namespaces.filter(({ metadata }) => metadata.deletionTimestamp !== undefined);
  const lines = await explainStuck(cluster, leaving, seen.groups);
  return new Map(
    leaving.map(({ metadata }) => [
      metadata.name,
      lines.filter(
        (line) =>
          line.startsWith(`${metadata.name}: `) &&
          /waits for|finalizers|Failure/.test(line.slice(metadata.name.length)),
      ),
    ]),
  );
}

function textsOf(data: unknown): Record<string, string> {
  return isRecord(data)
    ? Object.fromEntries(
        Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
      )
    : {};
}
