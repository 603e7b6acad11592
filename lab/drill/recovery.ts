import { asWritten } from '../../shared/backup/decide.js';
import type { CertificateRecord, Snapshot } from '../../shared/backup/snapshot.js';
import { ApiError } from '../../shared/cluster/api-error.js';
import { type Cluster, objectOf } from '../../shared/cluster/cluster.js';
import { isTrue } from '../../shared/cluster/fields.js';
import { type KubeObject, keyOf, kinds, nameOf } from '../../shared/cluster/objects.js';
import { waitUntil } from '../../shared/cluster/wait.js';
import { McprtError } from '../../shared/errors.js';
import { kindOf } from '../../shared/facts/roles.js';
import type { LabState } from '../driver/lab.js';
import { readMeter } from '../driver/meter.js';
import { found } from '../driver/until.js';
import { applier, installCertManager } from '../platform/cert-manager.js';
import { createObject } from '../platform/objects.js';
import { namespaceOf } from '../platform/resources.js';
import { type IssuerPlan, issuerObject, planFor, planIssuers } from './issuers.js';
import { type Sighting, type Watcher, watchCertificates } from './sightings.js';

/** What cert-manager made of the restored Secrets. */
export interface Recovery {
  sightings: ReadonlyMap<string, Sighting>;
  issuers: (IssuerPlan & { ready: boolean })[];
  /** In s: until cert-manager runs, and from then until the last Certificate that is kept is Ready. */
  seconds: { certManager: number; certificates: number };
}

/** In ms. */
const patience = { issuers: 20_000, judged: 60_000, canary: 30_000, issued: 20_000 };
/** Certificates of the drill's own, which no report counts. */
const canaryNamespace = 'mcprt-drill';

/**
 * Does what setup and ingress-shim do after a restore: installs cert-manager, makes the issuers and the Certificates
 * that the backup recorded, and waits until cert-manager has looked at each of them.
 *
 * @throws McprtError `drill-stuck`; the signal's reason
 */
export async function recover(
  cluster: Cluster,
  lab: LabState,
  snapshot: Snapshot,
  { progress, signal }: { progress: (line: string) => void; signal: AbortSignal },
): Promise<Recovery> {
  const started = performance.now();
  await installCertManager(cluster, lab.program);
  signal.throwIfAborted();
  const running = performance.now();
  progress('cert-manager runs; making issuers and Certificates');
  const issuers = await makeIssuers(cluster, lab, planIssuers(snapshot), signal);
  const watcher = await watchCertificates(cluster, signal);
  try {
    await makeCertificates(cluster, snapshot);
    const keys = snapshot.certificates.map(({ metadata }) => keyOf(metadata));
    await untilJudged(cluster, watcher, keys, progress);
    await untilCounted(lab, watcher, snapshot, issuers, progress);
    const readyAt = keys.flatMap((key) => watcher.seen.get(key)?.readyAt ?? []);
    return {
      sightings: watcher.seen,
      issuers,
      seconds: {
        certManager: (running - started) / 1000,
        certificates: (Math.max(running, ...readyAt) - running) / 1000,
      },
    };
  } finally {
    await watcher.close();
  }
}

/**
 * Writes all of a backup that a restore refuses to write, as the backup has it, to hear what cert-manager says of it.
 *
 * @returns what the API server did not take, with its reason
 */
export async function writeRefused(cluster: Cluster, { objects }: Snapshot): Promise<string[]> {
  const problems: string[] = [];
  for (const item of objects) {
    try {
      await cluster.apply(kindOf(item), asWritten(item), { force: true });
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      problems.push(`${nameOf(item.object)}: ${error.message}`);
    }
  }
  return problems;
}

/** Makes the issuers and waits for them. One that is not Ready is told in the report: no verdict needs it. */
async function makeIssuers(
  cluster: Cluster,
  lab: LabState,
  plans: readonly IssuerPlan[],
  signal: AbortSignal,
): Promise<Recovery['issuers']> {
  const apply = applier(cluster);
  const made = plans.flatMap((plan) => issuerObject(plan, lab.acme) ?? []);
  const ready = new Set<string>();
  await ensureNamespaces(cluster, made);
  for (const kind of [kinds.clusterIssuer, kinds.issuer]) {
    const own = made.filter((one) => one.kind === kind.kind);
    if (own.length === 0) continue;
    await apply(kind, ...own);
    const missing = (objects: readonly KubeObject[]): string => {
      for (const one of objects) if (isTrue(one, 'Ready')) ready.add(nameOf(one));
      return own
        .map(nameOf)
        .filter((name) => !ready.has(name))
        .join(', ');
    };
    const options = { what: 'issuers to be Ready', deadline: patience.issuers, signal, progress: () => undefined };
    await waitUntil(cluster, kind, missing, options).catch((error: unknown) => {
      if (!(error instanceof McprtError && error.code === 'cluster-wait')) throw error;
    });
  }
  return plans.map((plan) => ({ ...plan, ready: ready.has(nameOf({ kind: plan.kind, metadata: plan })) }));
}

/** Makes the Certificates as they were recorded. */
async function makeCertificates(cluster: Cluster, { certificates }: Snapshot): Promise<void> {
  const objects = certificates.map(({ metadata, spec }) => objectOf(kinds.certificate, { metadata, spec }));
  await ensureNamespaces(cluster, objects);
  await applier(cluster)(kinds.certificate, ...objects);
}

/** A namespace that no object of the backup is in is not in the backup either. */
async function ensureNamespaces(cluster: Cluster, objects: readonly KubeObject[]): Promise<void> {
  const { items } = await cluster.list(kinds.namespace);
  const present = new Set(items.map(({ metadata }) => metadata.name));
  const wanted = new Set(objects.flatMap(({ metadata }) => metadata.namespace ?? []));
  for (const name of wanted) if (!present.has(name)) await cluster.create(kinds.namespace, namespaceOf(name));
}

/**
 * Waits until cert-manager has decided about each Certificate.
 *
 * That a Certificate is Ready does not prove that none is ordered for it: another controller decides that. It takes
 * Certificates in the order in which they were made, so once it issues one that was made last, it has taken all others;
 * a second one gives those that it still had in hand a whole round to end.
 */
async function untilJudged(
  cluster: Cluster,
  { seen, until }: Watcher,
  keys: readonly string[],
  progress: (line: string) => void,
): Promise<void> {
  const unjudged = (): string[] => keys.filter((key) => seen.get(key)?.ready === undefined);
  progress(`waiting until cert-manager has looked at ${keys.length} Certificates`);
  if (!(await until(() => unjudged().length === 0, patience.judged))) throw stuck(unjudged());
  await cluster.create(kinds.namespace, namespaceOf(canaryNamespace));
  for (const name of ['first', 'second']) {
    const metadata = { name, namespace: canaryNamespace };
    const spec = { secretName: name, dnsNames: ['canary.invalid'], issuerRef: { name: 'none' } };
    await createObject(cluster, kinds.certificate, { metadata, spec });
    const isTaken = (): boolean => seen.get(`${canaryNamespace}/${name}`)?.issuing !== undefined;
    if (!(await until(isTaken, patience.canary))) throw stuck([`the canary ${canaryNamespace}/${name}`]);
  }
}

/**
 * Waits until each issuance that was begun has been counted: an order at the ACME server, or the end of one that needs
 * no order. Whether an order is fulfilled is the lab's business, and tells nothing of the backup.
 */
async function untilCounted(
  lab: LabState,
  { seen, until }: Watcher,
  { certificates }: Snapshot,
  issuers: readonly IssuerPlan[],
  progress: (line: string) => void,
): Promise<void> {
  const begun = certificates.filter(({ metadata }) => seen.get(keyOf(metadata))?.issuing !== undefined);
  if (begun.length === 0) return;
  progress(`cert-manager issues ${begun.map(({ metadata }) => keyOf(metadata)).join(', ')}`);
  const standOf = (one: CertificateRecord): IssuerPlan['stand'] | undefined => planFor(issuers, one)?.stand;
  const ofCa = begun.filter((one) => standOf(one) === 'ca').map(({ metadata }) => keyOf(metadata));
  await until(() => ofCa.every((key) => !seen.get(key)?.isIssuing), patience.issued);
  const orders = begun.filter((one) => standOf(one) === 'acme').length;
  const isCounted = async (): Promise<boolean> => (await readMeter(lab.acme.control)).orders.length >= orders;
  await found(isCounted, { seconds: patience.issued / 1000, every: 100 });
}

function stuck(keys: readonly string[]): McprtError {
  return new McprtError('drill-stuck', {
    what: 'cert-manager has not looked at everything in time, so nothing is proven',
    why: `it has said nothing of ${keys.join(', ')}`,
    next: 'run the drill again on a machine with less to do; cert-manager’s log in the lab is gone with the lab',
  });
}
