import { createPublicKey, type KeyObject } from 'node:crypto';
import { identifiersOf } from '../certificates/x509.js';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError, messageOf } from '../errors.js';
import { type Layout, platformConfig, portableConfigKeys } from '../platform/resources.js';
import { type LedgerEntry, writeAnchor } from './anchor.js';
import { isCanary } from './barrier.js';
import { contentDigest } from './content.js';
import { inventory } from './inventory.js';
import type { BackupKey } from './keys.js';
import { asSecret, keyOf, type LiveSecret, maskValues, type Observation, observe, readSecrets } from './observe.js';
import { isAcme } from './plan.js';
import type { Ports, RunContext } from './ports.js';
import { type HeldBackup, standing } from './refresh.js';
import { assumedCertManager, inventoryNames, leafOf, type Refusal, type RefusalRule, refusals } from './refusals.js';
import { type Reference, roles } from './roles.js';
import { authenticate, sealBackup } from './seal.js';
import { type Candidate, candidates } from './select.js';
import { cleaned, mergedLedger, type Snapshot, type SnapshotObject } from './snapshot.js';
import { type BackupContext, schema } from './statement.js';
import { type Kept, nameFor, type Store } from './stores/store.js';

export interface BackupOptions {
  key: BackupKey;
  run: RunContext;
  /** Refusal rules that the user overrides. */
  allow: readonly RefusalRule[];
  /** Ends after the plan: nothing is sealed, stored or written. */
  dryRun: boolean;
}

export interface StoredBackup {
  store: Store['name'];
  kept?: Kept;
  /** Why this store does not hold it. */
  error?: McprtError;
}

export interface BackupResult {
  context: Omit<BackupContext, 'recipients'>;
  name: string;
  snapshot: Snapshot;
  references: Reference[];
  bytes: number;
  /** SHA-256 of the signed statement, in hex; empty for a dry run. */
  statement: string;
  stored: StoredBackup[];
}

/** No store holds the backup. What each had to say is kept, so that a caller can tell the causes apart. */
export class NotStored extends McprtError {
  readonly stored: readonly StoredBackup[];

  constructor(stored: readonly StoredBackup[]) {
    super('backup-not-stored', {
      what: 'no store holds this backup',
      why:
        stored.map(({ store, error }) => `${store}: ${error?.message}: ${error?.why} (${error?.code})`).join('\n') ||
        'no store is configured',
      next: [...new Set(stored.flatMap(({ error }) => error?.next ?? []))].join('\n') || 'set the input `stores`',
    });
    this.stored = stored;
  }
}

const readAttempts = 5;

/**
 * Backs up a cluster: observe, refuse what would hurt later, seal, store, read back, and only then say so.
 *
 * @throws McprtError `backup-refused`, `backup-unstable`, `backup-not-stored`
 */
export async function backUp(cluster: Cluster, ports: Ports, options: BackupOptions): Promise<BackupResult> {
  return make(cluster, ports, options, await look(cluster, ports, options));
}

/**
 * Backs up a cluster unless its newest backup can stand (see refresh.ts). That one is read in every store, which also
 * keeps a cache entry alive.
 *
 * @param refreshAfter a backup of this age is made anew, in ms
 * @throws McprtError of `backUp`, also where nothing has changed: what would hurt later is told at once
 */
export async function refreshBackup(
  cluster: Cluster,
  ports: Ports,
  options: BackupOptions,
  refreshAfter: number,
): Promise<{ made: BackupResult; because: string[] } | { held: HeldBackup }> {
  const looked = await look(cluster, ports, options);
  const { seen, snapshot, found } = looked;
  const verdict = standing({
    found,
    anchor: seen.anchor,
    digestFor: (statement) => contentDigest(options.key, statement, snapshot),
    run: options.run,
    fingerprint: seen.fingerprint,
    now: seen.now,
    refreshAfter,
  });
  if ('held' in verdict) return verdict;
  for (const reason of verdict.due) ports.progress(`a new backup is due: ${reason}`);
  return { made: await make(cluster, ports, options, looked), because: verdict.due };
}

/** Everything that a backup is made of. */
interface Looked {
  seen: Observation;
  references: Reference[];
  secrets: Map<string, LiveSecret>;
  snapshot: Snapshot;
  found: Candidate[];
}

async function look(cluster: Cluster, ports: Ports, { key, run, allow }: BackupOptions): Promise<Looked> {
  const { seen, references, secrets, config } = await readStable(cluster);
  for (const secret of secrets.values()) maskValues(secret, ports.mask);

  const refusing = refusals(seen, references, secrets, seen.anchor).filter(({ rule }) => !allow.includes(rule));
  if (refusing.length > 0) throw refused(refusing);

  const found = await candidates(ports, run.domain, [createPublicKey(key.signer)]);
  return { seen, references, secrets, snapshot: snapshotOf(seen, references, secrets, config), found };
}

async function make(
  cluster: Cluster,
  ports: Ports,
  options: BackupOptions,
  { seen, references, secrets, snapshot, found }: Looked,
): Promise<BackupResult> {
  const previous = newestOf(found);
  const generation = Math.max(seen.anchor?.generation ?? 0, previous.generation) + 1;
  const context = contextOf(
    seen,
    snapshot,
    options.run,
    generation,
    previous.statement || (seen.anchor?.statement ?? ''),
  );
  const name = nameFor(options.run.domain, generation, options.run);
  if (options.dryRun) {
    return { context, name, snapshot, references, bytes: 0, statement: '', stored: [] };
  }
  const sealed = await sealBackup(snapshot, context, options.key);
  const signers = [createPublicKey(options.key.signer)];
  const { digest } = await authenticate(sealed, signers);
  ports.progress(
    `sealed generation ${generation}: ${sealed.length} bytes for ${options.key.recipients.length} recipients`,
  );
  const stored = await Promise.all(ports.stores.map((store) => keep(store, name, sealed, signers, ports)));
  if (!stored.some(({ kept }) => kept !== undefined)) throw new NotStored(stored);

  const anchor = {
    generation,
    statement: digest,
    inventory: inventoryNames(secrets.keys()),
    ledger: snapshot.ledger,
    content: contentDigest(options.key, digest, snapshot),
  };
  await writeAnchor(cluster, anchor).catch((error: unknown) => {
    ports.warn(
      `the backup is stored, but the cluster cannot remember it, so a replay of an older one would not be noticed: ${messageOf(error)}`,
    );
  });
  return { context, name, snapshot, references, bytes: sealed.length, statement: digest, stored };
}

interface Reading {
  seen: Observation;
  references: Reference[];
  secrets: Map<string, LiveSecret>;
  config: KubeObject | undefined;
}

/** Reads until nothing that cert-manager writes has changed between the first and the last read. */
async function readStable(cluster: Cluster): Promise<Reading> {
  for (let attempt = 1; attempt <= readAttempts; attempt++) {
    const seen = await observe(cluster);
    const references = inventory(seen);
    const [secrets, config] = await Promise.all([
      readSecrets(cluster, references),
      cluster.get<KubeObject>(kinds.configMap, platformConfig),
    ]);
    const { items } = await cluster.list(kinds.certificate);
    const versions = (objects: readonly KubeObject[]): string =>
      objects
        .map(({ metadata }) => `${metadata.uid}:${metadata.resourceVersion}`)
        .sort()
        .join();
    if (versions(items.filter((one) => !isCanary(one))) === versions(seen.certificates)) {
      return { seen, references, secrets, config };
    }
  }
  throw new McprtError('backup-unstable', {
    what: `the cluster’s Certificates changed during each of ${readAttempts} reads`,
    why: 'cert-manager is issuing or renewing, and half an old and half a new certificate would be of no use',
    next: 'run the backup again when `kubectl get certificates -A` shows all of them Ready',
  });
}

function snapshotOf(
  seen: Observation,
  references: Reference[],
  secrets: ReadonlyMap<string, LiveSecret>,
  config: KubeObject | undefined,
): Snapshot {
  const inOrder = [...references].sort(
    (a, b) => roles.indexOf(a.role) - roles.indexOf(b.role) || keyOf(a).localeCompare(keyOf(b)),
  );
  const objects = inOrder.flatMap(({ role, ...ref }): SnapshotObject[] => {
    const secret = secrets.get(keyOf(ref));
    return secret === undefined ? [] : [{ role, object: cleaned(secret) }];
  });
  const portable = portableConfig(config);
  const used = new Set([
    ...objects.map(({ object }) => object.metadata.namespace),
    ...(portable ? [platformConfig.namespace] : []),
  ]);
  const namespaces = seen.namespaces
    .filter(({ metadata }) => used.has(metadata.name))
    .map(
      (object): SnapshotObject => ({
        role: 'namespace',
        object: cleaned({ apiVersion: object.apiVersion, kind: object.kind, metadata: object.metadata }),
      }),
    );
  return {
    objects: [...namespaces, ...objects, ...(portable ? [{ role: 'platform-config' as const, object: portable }] : [])],
    certificates: seen.certificates.map((certificate) => ({
      metadata: { name: certificate.metadata.name, namespace: certificate.metadata.namespace ?? '' },
      spec: certificate.spec,
      origin: certificate.metadata.ownerReferences?.some(({ kind }) => kind === 'Ingress')
        ? ('shim' as const)
        : ('explicit' as const),
      acme: isAcme(certificate, seen),
    })),
    ledger: mergedLedger([...(seen.anchor?.ledger ?? []), ...issuances(seen, secrets)], seen.now),
  };
}

/** What the certificates themselves tell about issuances: their CA dates them about an hour back. */
function issuances(seen: Observation, secrets: ReadonlyMap<string, LiveSecret>): LedgerEntry[] {
  const version = seen.certManager.version ?? assumedCertManager;
  return seen.certificates
    .filter((certificate) => isAcme(certificate, seen))
    .flatMap(({ metadata, spec }) => {
      const leaf = leafOf(secrets.get(keyOf({ namespace: metadata.namespace ?? '', name: spec.secretName })), version);
      return leaf ? [{ identifiers: identifiersOf(leaf), serial: leaf.serial, at: leaf.notBefore.toISOString() }] : [];
    });
}

/** What a backup keeps of the platform's configuration. */
export function portableConfig(config: KubeObject | undefined): KubeObject | undefined {
  if (config === undefined) return undefined;
  const data = asSecret(config).data ?? {};
  const kept = Object.fromEntries(
    portableConfigKeys.flatMap((key) => (data[key] === undefined ? [] : [[key, data[key]]])),
  );
  return cleaned({ apiVersion: config.apiVersion, kind: config.kind, metadata: config.metadata, data: kept });
}

function contextOf(
  seen: Observation,
  snapshot: Snapshot,
  run: RunContext,
  generation: number,
  previous: string,
): BackupResult['context'] {
  const version = seen.certManager.version ?? assumedCertManager;
  const ends = snapshot.objects
    .filter(({ role }) => role === 'tls')
    .flatMap(({ object }) => leafOf(asSecret(object), version)?.notAfter ?? [])
    .map((date) => date.getTime());
  const layout: Layout = seen.layout;
  const count = (kind: string): number => snapshot.objects.filter(({ object }) => object.kind === kind).length;
  return {
    schema,
    repository: run.repository,
    repositoryId: run.repositoryId,
    workflow: run.workflow,
    runId: run.runId,
    runAttempt: run.runAttempt,
    fingerprint: seen.fingerprint,
    domain: run.domain,
    layout,
    generation,
    createdAt: seen.now.toISOString(),
    expiresAt: new Date(ends.length === 0 ? seen.now.getTime() : Math.max(...ends)).toISOString(),
    previous,
    inventory: {
      certificates: snapshot.certificates.length,
      secrets: count('Secret'),
      configMaps: count('ConfigMap'),
      namespaces: count('Namespace'),
    },
    certManager: seen.certManager.version ?? '',
    tool: run.tool,
  };
}

/** Stores one copy and fetches it again: a store that says "saved" has proven nothing. */
export async function keep(
  store: Store,
  name: string,
  sealed: Buffer,
  signers: KeyObject[],
  ports: Ports,
): Promise<StoredBackup> {
  try {
    const kept = await store.save(name, sealed);
    const fetched = await store.read(name);
    await authenticate(fetched, signers);
    if (!fetched.equals(sealed)) {
      throw new McprtError('store-read-back', {
        what: `the ${store.name} gave back another backup than was stored`,
        why: 'the bytes differ',
        next: 'use another store for this backup, and find out who can write to this one',
      });
    }
    ports.progress(`stored in ${store.name}, read back and verified: ${kept.where}`);
    return { store: store.name, kept };
  } catch (error) {
    const known =
      error instanceof McprtError
        ? error
        : new McprtError('store-write', {
            what: `the ${store.name} failed`,
            why: messageOf(error),
            next: 'run the backup again',
            cause: error,
          });
    ports.warn(`${store.name}: ${known.message}: ${known.why}`);
    return { store: store.name, error: known };
  }
}

/** The newest generation that any store has under our own signature; what else lies there is not ours to count. */
function newestOf(found: readonly Candidate[]): { generation: number; statement: string } {
  return found
    .flatMap(({ backup }) => (backup ? [{ generation: backup.context.generation, statement: backup.digest }] : []))
    .reduce((a, b) => (b.generation > a.generation ? b : a), { generation: 0, statement: '' });
}

function refused(found: Refusal[]): McprtError {
  return new McprtError('backup-refused', {
    what:
      found.length === 1
        ? `this backup would fail the day it is needed: ${found[0]?.object}`
        : `this backup would fail the day it is needed, for ${found.length} reasons`,
    why: found.map(({ rule, object, why }) => `${object}: ${why} (rule ${rule})`).join('\n'),
    next: [...new Set(found.map(({ next }) => next))].join('\n'),
  });
}
