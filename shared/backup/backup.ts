import { createPublicKey, type KeyObject } from 'node:crypto';
import type { Cluster } from '../cluster/cluster.js';
import { type KubeObject, kinds } from '../cluster/objects.js';
import { McprtError, messageOf } from '../errors.js';
import { inventoryNames, writeAnchor } from '../facts/anchor.js';
import { rulesVersion } from '../facts/cert-manager.js';
import { type IsOurs, platformsOwn } from '../facts/namespaces.js';
import { isCanary, type Observation, observe } from '../facts/observation.js';
import { type LiveInventory, readInventory } from '../facts/read-inventory.js';
import { hasRole, type Reference } from '../facts/roles.js';
import { asSecret, type LiveSecret, leafOf, maskValues } from '../facts/secrets.js';
import type { Layout } from '../platform/resources.js';
import type { RunContext } from '../run-context.js';
import { type Allowance, allowanceFor, isAllowed } from './allowance.js';
import { contentDigest } from './content-digest.js';
import { type BackupKey, recipientId } from './keys.js';
import type { Ports } from './ports.js';
import { type HeldBackup, standing } from './refresh.js';
import { otherDomain, type Refusal, refusals } from './refusals.js';
import { rehearse, requireArchiveSize } from './rehearse.js';
import { authenticate, sealBackup } from './seal.js';
import type { Snapshot } from './snapshot.js';
import { type BackupContext, schema } from './statement.js';
import { type Kept, nameFor, type Store } from './stores/store.js';
import { doubts, type LeftOut, takeSnapshot } from './take-snapshot.js';
import { type Candidate, candidates } from './walk.js';

export interface BackupOptions {
  key: BackupKey;
  run: RunContext;
  /** What the user overrides. */
  allow: readonly Allowance[];
  /** Namespaces whose troubles stop the backup, those of the platform and those that a wipe takes; the platform's without it. */
  isOurs?: IsOurs;
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
  references: readonly Reference[];
  /** What no restore would write, and is not in the backup. */
  leftOut: LeftOut[];
  /** What is told and does not stop the backup. */
  warnings: string[];
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
  return make(cluster, ports, options, await observeForBackup(cluster, ports, options));
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
  const observed = await observeForBackup(cluster, ports, options);
  const { seen, snapshot, found } = observed;
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
  return { made: await make(cluster, ports, options, observed), because: verdict.due };
}

/** Everything that a backup is made of. */
interface BackupObservation {
  seen: Observation;
  references: readonly Reference[];
  secrets: ReadonlyMap<string, LiveSecret>;
  snapshot: Snapshot;
  leftOut: LeftOut[];
  warnings: string[];
  found: Candidate[];
}

async function observeForBackup(cluster: Cluster, ports: Ports, options: BackupOptions): Promise<BackupObservation> {
  const { key, run, allow } = options;
  const reading = await readStable(cluster, options.isOurs);
  const { seen, references, secrets } = reading;
  for (const secret of secrets.values()) maskValues(secret, ports.mask);

  const isOurs = options.isOurs ?? platformsOwn(seen);
  const all = [...otherDomain(reading.config, run.domain), ...refusals(seen, references, secrets, seen.anchor, isOurs)];
  const problems = all.filter(({ rule, names }) => !isAllowed(allow, rule, names));
  const refusing = problems.filter(({ isForeign }) => !isForeign);
  if (refusing.length > 0) throw refused(refusing);
  const { snapshot, leftOut } = takeSnapshot(seen, reading, all);
  const warnings = [
    ...problems.map(
      ({ rule, object, names, why }) =>
        `${object}: ${why} (not the platform’s; \`allow: ${allowanceFor(rule, names[0])}\` silences this)`,
    ),
    ...leftOut.map(({ subject, why }) => `left out: ${subject}: ${why}`),
    ...doubts(seen, reading),
  ];
  tellSome(warnings, ports.warn);
  const found = await candidates(ports, run.domain, [createPublicKey(key.signer)]);
  return { seen, references, secrets, snapshot, leftOut, warnings, found };
}

async function make(
  cluster: Cluster,
  ports: Ports,
  options: BackupOptions,
  { seen, references, secrets, snapshot, leftOut, warnings, found }: BackupObservation,
): Promise<BackupResult> {
  const { key, run } = options;
  const previous = newestOf(found);
  const generation = Math.max(seen.anchor?.generation ?? 0, previous.generation) + 1;
  const context = contextOf(seen, snapshot, run, generation, previous.statement || (seen.anchor?.statement ?? ''));
  const name = nameFor(run.domain, generation, run);
  rehearse(snapshot, { ...context, recipients: key.recipients.map(recipientId) }, seen, leftOut);
  const made = { context, name, snapshot, references, leftOut, warnings };
  if (options.dryRun) return { ...made, bytes: 0, statement: '', stored: [] };

  const sealed = await sealBackup(snapshot, context, key);
  requireArchiveSize(sealed.length);
  const signers = [createPublicKey(key.signer)];
  const { digest } = await authenticate(sealed, signers);
  ports.progress(`sealed generation ${generation}: ${sealed.length} bytes for ${key.recipients.length} recipients`);
  const stored = await Promise.all(ports.stores.map((store) => keep(store, name, sealed, signers, ports)));
  if (!stored.some(({ kept }) => kept !== undefined)) throw new NotStored(stored);

  const anchor = {
    generation,
    statement: digest,
    inventory: inventoryNames(secrets.keys()),
    ledger: snapshot.ledger,
    content: contentDigest(key, digest, snapshot),
  };
  await writeAnchor(cluster, anchor).catch((error: unknown) => {
    ports.warn(
      `the backup is stored, but the cluster cannot remember it, so a replay of an older one would not be noticed: ${messageOf(error)}`,
    );
  });
  return { ...made, bytes: sealed.length, statement: digest, stored };
}

/** Annotations of a run are few: of more warnings than these, all are in the summary. */
export const toldAtMost = 10;

function tellSome(warnings: readonly string[], warn: (line: string) => void): void {
  for (const warning of warnings.slice(0, toldAtMost)) warn(warning);
  if (warnings.length > toldAtMost) warn(`and ${warnings.length - toldAtMost} more: see the summary`);
}

interface Reading extends LiveInventory {
  seen: Observation;
}

/** Reads until nothing that cert-manager writes has changed between the first and the last read. */
async function readStable(cluster: Cluster, isOurs: IsOurs | undefined): Promise<Reading> {
  for (let attempt = 1; attempt <= readAttempts; attempt++) {
    const seen = await observe(cluster);
    const live = await readInventory(cluster, seen, isOurs);
    const { items } = await cluster.list(kinds.certificate);
    const versions = (objects: readonly KubeObject[]): string =>
      objects
        .map(({ metadata }) => `${metadata.uid}:${metadata.resourceVersion}`)
        .sort()
        .join();
    if (versions(items.filter((one) => !isCanary(one))) === versions(seen.certificates)) {
      return { seen, ...live };
    }
  }
  throw new McprtError('backup-unstable', {
    what: `the cluster’s Certificates changed during each of ${readAttempts} reads`,
    why: 'cert-manager is issuing or renewing, and half an old and half a new certificate would be of no use',
    next: 'run the backup again when `kubectl get certificates -A` shows all of them Ready',
  });
}

function contextOf(
  seen: Observation,
  snapshot: Snapshot,
  run: RunContext,
  generation: number,
  previous: string,
): BackupResult['context'] {
  const version = rulesVersion(seen.certManager);
  const ends = snapshot.objects
    .filter((item) => hasRole(item, 'tls'))
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
    if (kept.doubt !== undefined) ports.warn(`${store.name}: ${kept.doubt}`);
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
  const entries = found.map(({ rule, names }) => allowanceFor(rule, names[0]));
  return new McprtError('backup-refused', {
    what: found.some(({ rule }) => rule === 'nothing-to-back-up')
      ? 'there is nothing to back up'
      : found.length === 1
        ? `this backup would fail the day it is needed: ${found[0]?.object}`
        : `this backup would fail the day it is needed, for ${found.length} reasons`,
    why: found.map(({ rule, object, why }) => `${object}: ${why} (rule ${rule})`).join('\n'),
    next: [
      ...new Set(found.map(({ next }) => next)),
      `where it is meant to be so, set \`allow\` to ${entries.map((entry) => `\`${entry}\``).join(', ')}`,
    ].join('\n'),
  });
}
