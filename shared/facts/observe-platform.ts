import { createHash } from 'node:crypto';
import { ApiError } from '../cluster/api-error.js';
import { type Cluster, objectOf } from '../cluster/cluster.js';
import { at, textAt } from '../cluster/fields.js';
import { keyOf, kinds } from '../cluster/objects.js';
import { isRecord } from '../json.js';
import { lackingOf } from '../permissions/review.js';
import type { Demand, PermissionRule } from '../permissions/rule.js';
import { type PublicName, reach } from '../platform/reach.js';
import { isManaged, passwordsSecret, platformNamespaces, pullSecretName } from '../platform/resources.js';
import type { ReachOptions } from '../platform/way.js';
import type { Hosts } from '../profile/values.js';
import { rulesVersion } from './cert-manager.js';
import { explainStuck } from './namespace-blockers.js';
import {
  type Facts,
  type Observation,
  observe,
  observeReadable,
  orUnseen,
  publicCertificateOf,
} from './observation.js';
import { type LiveSecret, leafOf, maskValues, readSecrets } from './secrets.js';

export interface PlatformOptions extends ReachOptions {
  hosts: Hosts;
  /** Whether to look at the public names from here. */
  names: boolean;
  imagePlatform: string | undefined;
  /** What the operation is going to do; nothing is asked about when it is empty. */
  rules: readonly PermissionRule[];
  backup: PlatformFacts['backup'];
  installer: InstallerFailure | undefined;
  mask: (secret: string) => void;
}

/** What a rule looks at: a cluster and its public names, observed once. No Secret's value is in it. */
export interface PlatformFacts extends Pick<Facts, (typeof readable)[number]> {
  seen: Observation;
  hosts: Hosts;
  /** The platform that images are built for, such as `linux/amd64`; undefined when the profile does not say. */
  imagePlatform: string | undefined;
  pullSecrets: PullSecret[];
  /** Whether the Secret with the platform's own passwords is there; undefined where nobody may look, or where its namespace is not there. */
  hasPasswords: boolean | undefined;
  /** What the credentials lack of what the operation needs. */
  lacking: readonly Demand[];
  /** How cert-manager's admission answered a dry-run Certificate; `unasked` where there is no such kind. */
  admission: { state: 'ok' | 'failing' | 'unasked'; message: string };
  /** What holds each namespace that is being deleted, in words. */
  holders: ReadonlyMap<string, string[]>;
  names: PublicName[];
  /**
   * By public host: the Secret that an Ingress serves it with, and the serial number of the certificate in it; undefined
   * when there is no such Secret, or no certificate in it.
   */
  secretsServed: ReadonlyMap<string, { secret: string; serial: string | undefined }>;
  /** The newest backup that a restore could use, when somebody looked. */
  backup: { generation: number; createdAt: string; store: string } | undefined;
  /** What the platform's installer said when it failed. */
  installer: InstallerFailure | undefined;
  /** What the credentials may not read, so that nothing is said about it. */
  unseen: string[];
}

/** Whether a pull Secret holds the platform's present registry password; compared where it was read, by digest. */
export interface PullSecret {
  namespace: string;
  state: 'current' | 'stale' | 'missing';
}

export interface InstallerFailure {
  /** The step that the installer names, or undefined when it stopped before the first. */
  step: string | undefined;
  message: string;
}

const readable = [
  'config',
  'lock',
  'nodes',
  'workloads',
  'pods',
  'services',
  'claims',
  'warnings',
  'networkPolicies',
  'ingressClasses',
  'storageClasses',
  'apiServices',
  'webhooks',
  'orders',
  'challenges',
] as const;

/** Observes a cluster and its public names, everything at once; a few reads depend on what the first ones saw. */
export async function observePlatform(cluster: Cluster, options: PlatformOptions): Promise<PlatformFacts> {
  const { hosts, imagePlatform, backup, installer } = options;
  const unseen: string[] = [];
  const attempt = orUnseen(unseen);
  const [seen, facts, names, lacking, admission] = await Promise.all([
    observe(cluster),
    observeReadable(cluster, readable, unseen),
    options.names ? reach(hosts, options) : [],
    lackingOf(cluster, options.rules),
    askAdmission(cluster),
  ]);
  const [passwords, secretsServed, holders] = await Promise.all([
    attempt('Secrets', comparePasswords(cluster, seen, options.mask)),
    attempt('TLS Secrets', servedSecrets(cluster, seen, options)),
    holdersOf(cluster, seen),
  ]);
  return {
    ...facts,
    seen,
    names,
    hosts,
    imagePlatform,
    pullSecrets: passwords?.pullSecrets ?? [],
    hasPasswords: passwords?.hasPasswords,
    holders,
    lacking: lacking ?? [],
    admission,
    secretsServed: secretsServed ?? new Map(),
    backup,
    installer,
    unseen,
  };
}

/** A dry run of a Certificate: the API server asks cert-manager's webhook, and stores nothing. */
export async function askAdmission(cluster: Cluster): Promise<PlatformFacts['admission']> {
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

/** Looks for the platform's passwords, and compares each pull Secret's with the key that the registry takes, by digest. */
async function comparePasswords(
  cluster: Cluster,
  seen: Observation,
  mask: (secret: string) => void,
): Promise<Pick<PlatformFacts, 'pullSecrets' | 'hasPasswords'>> {
  const wanted = seen.namespaces
    .filter(
      ({ metadata }) =>
        metadata.deletionTimestamp === undefined &&
        (metadata.name === platformNamespaces.sentinel ||
          metadata.name === platformNamespaces.runtime ||
          isManaged(metadata)),
    )
    .map(({ metadata }) => ({ namespace: metadata.name, name: pullSecretName }));
  const found = await readSecrets(cluster, [passwordsSecret, ...wanted]);
  for (const secret of found.values()) maskValues(secret, mask);
  const passwords = found.get(keyOf(passwordsSecret));
  const isPlaced = wanted.some(({ namespace }) => namespace === passwordsSecret.namespace);
  const hasPasswords = isPlaced ? passwords !== undefined : undefined;
  const key = passwords?.data?.UI_API_KEY;
  if (key === undefined || seen.layout === 'unknown') return { pullSecrets: [], hasPasswords };
  const current = digest(Buffer.from(key, 'base64').toString('utf8'));
  const pullSecrets = wanted.map(({ namespace }): PullSecret => {
    const secret = found.get(keyOf({ namespace, name: pullSecretName }));
    if (secret === undefined) return { namespace, state: 'missing' };
    return { namespace, state: passwordsOf(secret).some((one) => digest(one) === current) ? 'current' : 'stale' };
  });
  return { pullSecrets, hasPasswords };
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
  { hosts, mask }: PlatformOptions,
): Promise<PlatformFacts['secretsServed']> {
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
      const leaf = leafOf(secrets.get(keyOf(ref)), rulesVersion(seen.certManager));
      return [host, { secret: keyOf(ref), serial: leaf?.serial }] as const;
    }),
  );
}

/** What keeps namespaces that are being deleted: objects with finalizers and failures, not what is merely under way. */
async function holdersOf(cluster: Cluster, seen: Observation): Promise<PlatformFacts['holders']> {
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
