import { allDone } from '../all-done.js';
import { type Cluster, isConflict, isNotFound, type PatchOperation } from '../cluster/cluster.js';
import { isTrue } from '../cluster/fields.js';
import { type Condition, type KubeObject, keyOf, kinds } from '../cluster/objects.js';
import { McprtError } from '../errors.js';
import { rulesVersion } from '../facts/cert-manager.js';
import { type Observation, observe, observeParts, secretKeyOf } from '../facts/observation.js';
import { hasRole, kindOf } from '../facts/roles.js';
import { asSecret, type LiveSecret, maskValues, readSecrets } from '../facts/secrets.js';
import { pause } from '../pause.js';
import { barrierRules, certManager } from '../permissions/backup-rules.js';
import { missing } from '../permissions/guard.js';
import { lackingOf } from '../permissions/review.js';
import { holderOf, type RunContext } from '../run-context.js';
import { requireAdmitted } from './admitted.js';
import { type Applied, applyPlan, readBack } from './apply.js';
import { barrier } from './barrier.js';
import { type Brake, brake, withBrakeNote } from './brake.js';
import { chooseBackup, type Overrides } from './choose-backup.js';
import { isGhost } from './decide.js';
import { followOrders, type Issuance, type OrderLog } from './issuances.js';
import type { RestoreKey } from './keys.js';
import { putLabels } from './labels.js';
import { decideContextOf, forecastSecrets, needsBrake, planRestore } from './plan.js';
import { planDigest, requirePlan } from './plan-digest.js';
import type { Ports } from './ports.js';
import { rememberRestored } from './remember-restored.js';
import {
  type Abort,
  certificatesRestored,
  isCounted,
  liveKey,
  type PlanLine,
  type RestorePlan,
  secretsWritten,
} from './restore-plan.js';
import { openBackup } from './seal.js';
import type { CertificateRecord, Snapshot } from './snapshot.js';
import { startCertManager, stopCertManager } from './stand-still.js';
import type { BackupContext } from './statement.js';
import type { Store } from './stores/store.js';

export interface RestoreOptions {
  key: RestoreKey;
  run: RunContext;
  overrides: Overrides;
  maxOrders: number;
  /** In ms. */
  maxAge: number;
  /** How long the whole operation may take, in ms. */
  timeout: number;
  dryRun: boolean;
  /** Digest of the plan that was approved; empty where nobody was asked. */
  expectPlan?: string;
  /** Whether cert-manager is stopped for as long as it takes, where nothing else keeps it from ordering. */
  mayStopCertManager?: boolean;
  /** Certificates as an installer that runs next will make them: the forecast is for what it leaves. */
  installer?: readonly CertificateRecord[];
}

export interface RestoreResult {
  context: BackupContext;
  source: { store: Store['name']; name: string };
  plan: RestorePlan;
  /** What an approval of this plan is bound to. */
  planDigest: string;
  applied: Applied[];
  certManager: Observation['certManager'];
  /** How cert-manager was kept from ordering: it need not be where it does not run, or nobody asks for what is restored. */
  brake: 'policy' | 'not-needed' | 'none';
  takenOver: boolean;
  /** ACME Orders for what was restored, which appeared while the restore was under way. */
  newOrders: string[];
  /** Those of other Certificates, and of renewals that were due: told, and not counted. */
  otherOrders: string[];
  verified: boolean;
}

/** In ms. */
const settleDeadline = 60_000;
const callOffAttempts = 5;

/**
 * Restores: choose and check a backup, observe, plan, brake, write, read back, barrier, verify, release.
 * Safe to run twice and to be killed anywhere: every step is decided from what is there.
 *
 * @throws McprtError of `chooseBackup`, `openBackup`; `restore-orders`, `restore-refused`, `restore-verify`,
 * `restore-ordered`, `restore-cancelled`, `permission-missing`
 */
export async function restore(cluster: Cluster, ports: Ports, options: RestoreOptions): Promise<RestoreResult> {
  const { key, ...wish } = options;
  const looking = observe(cluster);
  const [{ store, name, backup, opened: snapshot }, first] = await Promise.all([
    chooseBackup(ports, { ...wish, signers: key.signers, open: (one) => openBackup(one, key) }, looking),
    looking,
  ]);
  maskSnapshot(snapshot, ports.mask);
  ports.progress(
    `generation ${backup.context.generation} from ${store}: ${snapshot.objects.length} objects, ${snapshot.certificates.length} certificates`,
  );

  const seen = options.dryRun ? first : await waitForNamespaces(cluster, first, snapshot, ports, options.timeout);
  const planned = planningOf(backup.context, ports, options);
  const { plan, live } = await planFor(cluster, seen, snapshot, planned);
  const base = { context: backup.context, source: { store, name }, certManager: seen.certManager };
  requirePlan(plan, backup.digest, options.expectPlan ?? '');
  if (options.dryRun) {
    return {
      ...base,
      plan,
      planDigest: planDigest(plan, backup.digest),
      applied: [],
      brake: 'none',
      takenOver: false,
      newOrders: [],
      otherOrders: [],
      verified: false,
    };
  }
  refuseBadPlan(plan, options.maxOrders);
  await requireBarrier(cluster, seen);
  const work: Work = { seen, plan, live, snapshot, context: backup.context, statement: backup.digest };
  const done = await underBrake(cluster, ports, options, work);
  return { ...base, ...done, planDigest: planDigest(done.plan, backup.digest) };
}

/** Where cert-manager is elsewhere than its release puts it, the question at the start was about another namespace. */
async function requireBarrier(cluster: Cluster, { certManager: { state, namespace } }: Observation): Promise<void> {
  if (state !== 'running' || namespace === certManager) return;
  const lacking = await lackingOf(cluster, barrierRules(namespace));
  if (lacking !== undefined && lacking.length > 0) throw missing(lacking, ['restore']);
}

function planningOf(context: BackupContext, { mask }: Ports, { installer = [] }: RestoreOptions): Planning {
  return { recordedCertManager: context.certManager, mask, installer };
}

interface Work {
  seen: Observation;
  plan: RestorePlan;
  live: Look['live'];
  snapshot: Snapshot;
  context: BackupContext;
  /** SHA-256 of the backup's statement. */
  statement: string;
}

type Done = Pick<RestoreResult, 'plan' | 'applied' | 'brake' | 'takenOver' | 'newOrders' | 'otherOrders' | 'verified'>;

async function underBrake(cluster: Cluster, ports: Ports, options: RestoreOptions, work: Work): Promise<Done> {
  const planning = planningOf(work.context, ports, options);
  const look = async (): Promise<Look> => {
    const observing = observe(cluster);
    const [seen, planned] = await Promise.all([observing, planFor(cluster, observing, work.snapshot, planning)]);
    return { seen, ...planned };
  };
  const looking = { ...work, look };
  // Beside the lock and the look under it: it costs no time, and both are undone where it refuses.
  const admitted = requireAdmitted(cluster, work.plan.lines, knownIn(work), ports.signal);
  admitted.catch(() => undefined);
  const held = await brakeOn(cluster, ports, options, looking);
  try {
    return await restoreHeld(cluster, ports, options, { ...looking, admitted }, held);
  } catch (error) {
    throw held.isReleased() ? error : withBrakeNote(error, held.place);
  }
}

function knownIn({ seen, live }: Pick<Look, 'seen' | 'live'>) {
  const there = new Set(seen.namespaces.map(({ metadata }) => metadata.name));
  return { live: ({ item }: PlanLine) => live.get(liveKey(item)), isThere: (name: string) => there.has(name) };
}

/** The cluster at one moment, and what the restore does with it. */
interface Look {
  seen: Observation;
  plan: RestorePlan;
  live: Map<string, LiveSecret>;
}

interface Looking {
  look: () => Promise<Look>;
}

async function restoreHeld(
  cluster: Cluster,
  ports: Ports,
  options: RestoreOptions,
  work: Work & Looking & { admitted: Promise<void> },
  held: Held,
): Promise<Done> {
  const [orders, first] = await held.begin;
  try {
    return await restoreUnder(cluster, ports, options, { ...work, orders, first }, held);
  } finally {
    await orders.close();
  }
}

async function restoreUnder(
  cluster: Cluster,
  ports: Ports,
  options: RestoreOptions,
  work: Work & Looking & { admitted: Promise<void>; orders: OrderLog; first: Look },
  held: Held,
): Promise<Done> {
  const { signal } = ports;
  const { look } = work;
  let now = work.first;
  try {
    await work.admitted;
    if (needsBrake(now.seen, now.plan) && !held.isProven()) {
      requireBrakeable(now.seen, options);
      await (now.seen.canBrake ? held.prove(now.seen.certManager) : stopCertManager(cluster, ports));
      now = await look();
    }
    requirePlan(now.plan, work.statement, options.expectPlan ?? '');
    refuseBadPlan(now.plan, options.maxOrders);
    signal.throwIfAborted();
  } catch (error) {
    // Nothing is written yet, so nothing has to be held back; what a killed run has written may have to be.
    if (!(signal.aborted && held.takenOver)) {
      if (!now.seen.canBrake) await startCertManager(cluster, ports);
      await held.release();
    }
    throw error;
  }
  const approved = now.plan;
  const { state, namespace } = now.seen.certManager;
  const untilSeen = async (until = signal): Promise<() => Promise<void>> =>
    state === 'running' ? barrier(cluster, namespace, until) : async () => undefined;
  if (approved.unlabelled.length > 0) {
    await putLabels(cluster, approved.unlabelled);
    await (await untilSeen())();
    ports.progress(`cert-manager’s label is on ${approved.unlabelled.length} Secrets that lacked it`);
  }
  const { generation } = work.context;
  await rememberRestored(cluster, now.seen, { ...work, generation, plan: now.plan }, ports);
  const applied = await write(cluster, ports, now, work.context);
  await removeStaleRequests(cluster, now.plan);
  const failed = new AbortController();
  const [clearCanary] = await allDone([
    untilSeen(AbortSignal.any([signal, failed.signal])),
    requireWritten(cluster, now.plan, applied).catch((error: unknown) => {
      failed.abort(error);
      throw error;
    }),
  ]);
  const mayHaveBegun = held.isProven() || state !== 'running' || (await asksForWritten(cluster, now.plan));
  const { lines } = now.plan;
  const again = async (): Promise<RestorePlan> => ({ ...(await look()).plan, lines });
  if (mayHaveBegun && state === 'running' && !held.isProven()) {
    // Somebody has made a Certificate between the look and the writes: what has begun is called off before it can order.
    await callOffAll(cluster, await again());
    await held.prove(now.seen.certManager);
  }
  // Also where cert-manager is stopped: an issuance that had begun goes on when it starts.
  for (const abort of now.plan.aborts) await callOff(cluster, abort);
  // With caches that are empty it sees what is there before it acts.
  const isStarted = !now.seen.canBrake && (await startCertManager(cluster, ports));
  const restored = mayHaveBegun && (state === 'running' || isStarted) ? await settle(cluster, again, ports) : now.plan;
  await allDone([held.release(), clearCanary()]);
  const { newOrders, otherOrders } = sorted(await work.orders.appeared(), restored);
  if (newOrders.length > options.maxOrders) {
    throw new McprtError('restore-ordered', {
      what: `cert-manager ordered ${newOrders.length} certificates while they were restored`,
      why: newOrders.join(', '),
      next: 'see the certificates in the summary; the Secrets are in place, and cert-manager keeps what it has just been issued',
    });
  }
  if (otherOrders.length > 0) ports.warn(`orders that come in any case appeared meanwhile: ${otherOrders.join(', ')}`);
  return {
    plan: approved,
    applied,
    brake: held.isProven() ? 'policy' : 'not-needed',
    takenOver: held.takenOver,
    newOrders,
    otherOrders,
    verified: true,
  };
}

/** Whether a live Certificate names a Secret that the plan wrote. */
async function asksForWritten(cluster: Cluster, { lines }: RestorePlan): Promise<boolean> {
  const written = secretsWritten(lines);
  const { certificates } = await observeParts(cluster, ['certificates']);
  return certificates.some((one) => written.has(secretKeyOf(one)));
}

/** @throws McprtError `brake-unavailable` where cert-manager could order, and can neither be denied it nor stopped */
function requireBrakeable({ canBrake, certManager }: Observation, { mayStopCertManager }: RestoreOptions): void {
  if (canBrake || (mayStopCertManager === true && certManager.runsAs === undefined)) return;
  if (certManager.runsAs !== undefined) throw notScalable(certManager.namespace, certManager.runsAs);
  throw new McprtError('brake-unavailable', {
    what: 'cert-manager runs, and this cluster offers no way to keep it from ordering meanwhile',
    why: 'ValidatingAdmissionPolicy is served since Kubernetes 1.30',
    next: `set \`allow: stop-cert-manager\`, and the restore stops it and starts it again; or scale it down yourself: \`kubectl scale -n ${certManager.namespace} deploy/cert-manager --replicas=0\``,
  });
}

function notScalable(namespace: string, { kind, name }: NonNullable<Observation['certManager']['runsAs']>): McprtError {
  const ways: Readonly<Record<string, string>> = {
    StatefulSet: `scale it down: \`kubectl scale -n ${namespace} statefulset/${name} --replicas=0\``,
    DaemonSet: `have it run on no node: \`kubectl patch -n ${namespace} daemonset/${name} -p '{"spec":{"template":{"spec":{"nodeSelector":{"stopped":"yes"}}}}}'\``,
    ReplicaSet: `scale what makes the ReplicaSet to 0, such as an Argo Rollout: \`kubectl describe -n ${namespace} replicaset/${name}\``,
    Pod: `take its pod away: \`kubectl delete -n ${namespace} pod/${name}\``,
  };
  return new McprtError('brake-unavailable', {
    what: 'cert-manager runs, and this cluster offers no way to keep it from ordering meanwhile',
    why: `ValidatingAdmissionPolicy is served since Kubernetes 1.30, and only a Deployment is stopped by a restore: cert-manager runs as ${kind} ${namespace}/${name}`,
    next: `${ways[kind] ?? `stop ${kind} ${namespace}/${name}`}; restore, and start it again`,
  });
}

/** An order counts when the restore gave its Certificate the Secret back, and its Certificate was not due in any case. */
function sorted(appeared: readonly Issuance[], plan: RestorePlan): { newOrders: string[]; otherOrders: string[] } {
  const restored = certificatesRestored(plan);
  const counted = new Set(
    plan.certificates
      .map((one) => ({ key: keyOf(one), excused: one.excused }))
      .filter(({ key, excused }) => restored.has(key) && excused === undefined)
      .map(({ key }) => key),
  );
  const isCountedOrder = ({ certificate }: Issuance): boolean => certificate !== undefined && counted.has(certificate);
  return {
    newOrders: appeared.filter(isCountedOrder).map(({ name }) => name),
    otherOrders: appeared.filter((one) => !isCountedOrder(one)).map(({ name }) => name),
  };
}

/** The brake, and the first look with the lock in hand. */
interface Held extends Brake {
  begin: Promise<[OrderLog, Look]>;
}

async function brakeOn(
  cluster: Cluster,
  ports: Ports,
  options: RestoreOptions,
  { seen, plan, look }: Work & Looking,
): Promise<Held> {
  const mustHold = needsBrake(seen, plan);
  if (mustHold) requireBrakeable(seen, options);
  const holder = {
    run: holderOf(options.run),
    expires: new Date(seen.now.getTime() + options.timeout),
  };
  // Between the first look and the lock cert-manager may have begun something.
  const begin = async (): Held['begin'] => {
    const opening = followOrders(cluster, ports.signal);
    try {
      return await allDone([opening, look()]);
    } catch (error) {
      await opening.then((orders) => orders.close()).catch(() => undefined);
      throw error;
    }
  };
  let begun: Held['begin'] | undefined;
  const onTaken = (): void => {
    begun = begin();
    begun.catch(() => undefined);
  };
  const held = await brake(cluster, holder, {
    canDeny: seen.canBrake,
    signal: ports.signal,
    // Where it must hold, only what is seen under it counts.
    ...(mustHold ? { orderer: seen.certManager } : { onTaken }),
  }).catch(async (error: unknown) => {
    // A watch that goes on would keep the process alive.
    await begun?.then(([orders]) => orders.close()).catch(() => undefined);
    throw error;
  });
  const [done, until] = held.isProven()
    ? ['brake on', 'no new ACME orders until the end']
    : ['lock taken', 'nothing else begins until the end'];
  ports.progress(`${done}: ${held.takenOver ? 'taken over from a run that did not finish' : until}`);
  return { ...held, begin: begun ?? begin() };
}

async function write(
  cluster: Cluster,
  ports: Ports,
  { plan, live, seen }: Look,
  context: BackupContext,
): Promise<Applied[]> {
  const decideContext = decideContextOf(seen, rulesVersion(seen.certManager, context.certManager));
  const known = knownIn({ seen, live });
  const applied = await applyPlan(
    cluster,
    plan.lines,
    { ...decideContext, live: known.live },
    {
      onWrite: ({ action, subject }) => ports.progress(`  ${action.padEnd(8)} ${subject}`),
      // Before, nothing could be asked in those that were not there.
      onNamespaces: () =>
        requireAdmitted(cluster, plan.lines, { ...known, isThere: (name) => !known.isThere(name) }, ports.signal),
    },
    ports.signal,
  );
  return applied;
}

/** @throws McprtError `restore-verify`, where the cluster does not hold what was written */
async function requireWritten(cluster: Cluster, { lines }: RestorePlan, applied: readonly Applied[]): Promise<void> {
  const problems = await readBack(cluster, lines, applied);
  if (problems.length > 0) {
    throw new McprtError('restore-verify', {
      what: 'the cluster does not hold what was restored',
      why: problems.join('\n'),
      next: 'something rewrites these objects (an operator, a sync tool): stop it and run the restore again',
    });
  }
}

function refuseBadPlan(plan: RestorePlan, maxOrders: number): void {
  const refused = plan.lines.filter(({ action }) => action === 'refuse');
  if (refused.length > 0) {
    throw new McprtError('restore-refused', {
      what: `${refused.length} object${refused.length === 1 ? '' : 's'} of the backup cannot be restored`,
      why: refused.map(({ subject, reason }) => `${subject}: ${reason}`).join('\n'),
      next: 'nothing was written: resolve what the lines say, and run the restore again',
    });
  }
  if (plan.orders > maxOrders) {
    const ordering = plan.certificates.filter(isCounted);
    throw new McprtError('restore-orders', {
      what: `after this restore cert-manager would order ${plan.orders} certificate${plan.orders === 1 ? '' : 's'}, and ${maxOrders} ${maxOrders === 1 ? 'is' : 'are'} allowed`,
      why: ordering.map((one) => `${one.namespace}/${one.name}: ${one.reason}: ${one.message}`).join('\n'),
      next: `nothing was written: if these orders are wanted, set \`max-orders: ${plan.orders}\``,
    });
  }
}

export interface Planning {
  recordedCertManager: string;
  mask: (secret: string) => void;
  installer?: readonly CertificateRecord[];
}

/**
 * Plans a restore of a snapshot, with the live Secrets that it and the forecast need.
 *
 * @param observing what is seen of the cluster; what the snapshot names is read meanwhile
 */
export async function planFor(
  cluster: Cluster,
  observing: Observation | Promise<Observation>,
  snapshot: Snapshot,
  { recordedCertManager, mask, installer = [] }: Planning,
): Promise<{ plan: RestorePlan; live: Map<string, LiveSecret> }> {
  const secrets = snapshot.objects.flatMap((item) => {
    const { namespace = '', name } = item.object.metadata;
    return kindOf(item) === kinds.secret ? [{ namespace, name }] : [];
  });
  const [seen, own, others] = await Promise.all([
    observing,
    readSecrets(cluster, secrets),
    readOthers(cluster, snapshot),
  ]);
  const known = new Set(secrets.map(keyOf));
  const more = forecastSecrets(seen, snapshot.certificates, installer).filter((ref) => !known.has(keyOf(ref)));
  const found = [...own, ...(await readSecrets(cluster, more))];
  const namespaces = new Map(seen.namespaces.map((one) => [one.metadata.name, one]));
  const there = snapshot.objects.flatMap((item): [string, LiveSecret][] => {
    const object = hasRole(item, 'namespace') ? namespaces.get(item.object.metadata.name) : undefined;
    return object === undefined ? [] : [[liveKey(item), asSecret(object)]];
  });
  const live = new Map([...found.map(([key, secret]) => [`Secret ${key}`, secret] as const), ...others, ...there]);
  for (const object of live.values()) if (object.kind === 'Secret') maskValues(object, mask);
  return { plan: planRestore({ seen, live, snapshot, recordedCertManager, installer }), live };
}

/** The live counterparts of what is neither a Secret nor a namespace. */
async function readOthers(cluster: Cluster, { objects }: Snapshot): Promise<[string, LiveSecret][]> {
  const others = objects.filter((item) => kindOf(item) !== kinds.secret && !hasRole(item, 'namespace'));
  const found = await Promise.all(
    others.map(async (item): Promise<[string, LiveSecret][]> => {
      const object = await cluster.get(kindOf(item), item.object.metadata);
      return object === undefined ? [] : [[liveKey(item), asSecret(object)]];
    }),
  );
  return found.flat();
}

/** Waits for namespaces that are being deleted: what is written into them would be deleted with them. */
async function waitForNamespaces(
  cluster: Cluster,
  first: Observation,
  snapshot: Snapshot,
  ports: Ports,
  timeout: number,
): Promise<Observation> {
  // Nothing is written into the namespace of a team that goes with the platform: it may take as long as it likes.
  const gone = { managed: new Set<string>() };
  const wanted = new Set(
    snapshot.objects.filter((item) => !isGhost(item, gone)).flatMap(({ object }) => object.metadata.namespace ?? []),
  );
  const leaving = (seen: Observation): KubeObject[] =>
    seen.namespaces.filter(({ metadata }) => wanted.has(metadata.name) && metadata.deletionTimestamp !== undefined);
  const end = Date.now() + timeout;
  let seen = first;
  for (let told = ''; leaving(seen).length > 0; ) {
    ports.signal.throwIfAborted();
    const names = leaving(seen)
      .map(({ metadata }) => metadata.name)
      .join(', ');
    if (names !== told) ports.progress(`waiting until these namespaces are deleted: ${names}`);
    told = names;
    if (Date.now() > end) {
      throw new McprtError('namespace-terminating', {
        what: `namespaces are still being deleted: ${names}`,
        why: leaving(seen).map(blockers).join('\n'),
        next: 'finish what the lines name; do not remove finalizers by force, that orphans what they protect. Then run the restore again',
      });
    }
    await pause(250, ports.signal);
    seen = await observe(cluster);
  }
  return seen;
}

function blockers(namespace: WithConditions): string {
  const conditions =
    namespace.status?.conditions?.filter(({ status }) => status === 'True').map(({ message }) => message) ?? [];
  return `${namespace.metadata.name}: ${conditions.join('; ') || 'its content is being deleted'}`;
}

async function removeStaleRequests(cluster: Cluster, { staleRequests }: RestorePlan): Promise<void> {
  await Promise.all(
    staleRequests.map(({ namespace, name, uid }) =>
      cluster.delete(kinds.certificateRequest, { namespace, name }, { uid }),
    ),
  );
}

/** Takes back an issuance that has not ordered yet: with the Secret in place, nothing starts it again. */
async function callOff(cluster: Cluster, { namespace, certificate, requests }: Abort): Promise<void> {
  const ref = { namespace, name: certificate };
  for (let attempt = 1; ; attempt++) {
    const found = await cluster.get<WithConditions>(kinds.certificate, ref);
    const index = found?.status?.conditions?.findIndex(({ type }) => type === 'Issuing') ?? -1;
    if (index < 0) break;
    const path = `/status/conditions/${index}`;
    try {
      const patch: PatchOperation[] = [
        { op: 'test', path: `${path}/type`, value: 'Issuing' },
        { op: 'remove', path },
      ];
      await cluster.patch(kinds.certificate, ref, patch, 'status');
      break;
    } catch (error) {
      // cert-manager writes conditions at the same time: which one is meant is looked up again.
      if (!(isNotFound(error) || isConflict(error)) || attempt === callOffAttempts) throw error;
    }
  }
  await Promise.all(requests.map((name) => cluster.delete(kinds.certificateRequest, { namespace, name })));
}

/** Takes back what cert-manager has begun although its Secret is in place, and requests for which it would order again. */
async function callOffAll(cluster: Cluster, plan: RestorePlan): Promise<void> {
  await removeStaleRequests(cluster, plan);
  for (const abort of plan.aborts) await callOff(cluster, abort);
}

/**
 * Waits until every live Certificate whose Secret was restored is Ready and nothing is being issued for it. Certificates that
 * somebody has made meanwhile are among them, and what has begun for them is called off.
 *
 * @param again the plan as things are by now, with the lines of the one that was carried out
 * @returns the last such plan
 */
async function settle(
  cluster: Cluster,
  again: () => Promise<RestorePlan>,
  { signal, progress }: Ports,
): Promise<RestorePlan> {
  const end = Date.now() + settleDeadline;
  for (let told = ''; ; ) {
    const plan = await again();
    await callOffAll(cluster, plan);
    const restored = certificatesRestored(plan);
    const kept = new Set(
      plan.certificates
        .filter(({ verdict }) => verdict === 'keep')
        .map(keyOf)
        .filter((key) => restored.has(key)),
    );
    const { items } = await cluster.list<WithConditions>(kinds.certificate);
    const waiting = items.filter(
      (one) => kept.has(keyOf(one.metadata)) && !(isTrue(one, 'Ready') && !isTrue(one, 'Issuing')),
    );
    if (waiting.length === 0) return plan;
    const names = waiting.map(({ metadata }) => keyOf(metadata)).join(', ');
    if (Date.now() > end) {
      throw new McprtError('restore-verify', {
        what: `${waiting.length} certificate${waiting.length === 1 ? ' is' : 's are'} not Ready although the Secret is in place`,
        why: waiting
          .map(
            (one) =>
              `${keyOf(one.metadata)}: ${one.status?.conditions?.map(({ type, status, reason, message }) => `${type}=${status} ${reason ?? ''} ${message ?? ''}`).join('; ') ?? 'no status'}`,
          )
          .join('\n'),
        next: 'see `kubectl describe certificate`; then run the restore again',
      });
    }
    if (told !== '' && told !== names) progress(`waiting until these certificates are Ready: ${names}`);
    told = names;
    await pause(150, signal);
  }
}

type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };

function maskSnapshot(snapshot: Snapshot, mask: (secret: string) => void): void {
  for (const item of snapshot.objects) if (kindOf(item) === kinds.secret) maskValues(asSecret(item.object), mask);
}
