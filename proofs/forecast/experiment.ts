/**
 * What cert-manager's trigger controller decides, told from what it does and not from what it leaves undone. It writes one thing
 * only, the Issuing condition; a Certificate without it may be kept, held back, not the owner of its Secret, or not looked at
 * yet. So what may hold a silent one back is taken away, one thing after the other, and its verdict is known from that after
 * which it is issued. A Certificate that never answers proves nothing.
 */
import pMap from 'p-map';
import type { LabState } from '../../lab/driver/lab.js';
import { found, until } from '../../lab/driver/until.js';
import { namespaceOf } from '../../lab/platform/resources.js';
import type { Forecast } from '../../shared/certificates/forecast.js';
import { controllerUid } from '../../shared/certificates/model.js';
import { revisionRequests } from '../../shared/certificates/requests.js';
import type { Base } from '../../shared/certificates/testing/cases.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { type Condition, type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { startController } from './controller.js';
import { makeCertificate, makeSecret, type Subject } from './objects.js';

/** What was observed of one Certificate; `silent` when nothing made it answer. */
export interface Observed {
  verdict: Forecast['verdict'] | 'silent';
  reason: string | undefined;
  message: string | undefined;
}

type Judge = (condition: Condition) => Observed;
type WithConditions = KubeObject & { status?: { conditions?: Condition[] } };

const concurrency = 8;
/** 1.16 puts its events through the same limiter of 20 requests a second as all else: four minutes for 230 Certificates. In s. */
const slowestRound = 600;
/** What an emptied key is answered with. */
const emptied = 'MissingData';

/** Kept until their Secrets are emptied: one for each of cert-manager's two caches of Secrets. */
const keptCanaries = ['canary-labelled', 'canary-unlabelled'] as const;
const barrierNamespace = 'canary';

/** Makes the canaries that must be there before cert-manager starts. */
export async function makeCanaries(cluster: Cluster, base: Base): Promise<void> {
  const { certificate, secret } = base.input;
  await cluster.create(kinds.namespace, namespaceOf(barrierNamespace));
  for (const namespace of keptCanaries) {
    const { labels = {}, ...metadata } = secret?.metadata ?? certificate.metadata;
    const labelled = { ...metadata, labels: namespace === 'canary-labelled' ? labels : {} };
    await cluster.create(kinds.namespace, namespaceOf(namespace));
    await makeSecret(cluster, { ...secret, metadata: labelled }, namespace);
    await makeCertificate(cluster, certificate, namespace);
  }
}

/** Starts cert-manager over the subjects and finds out what it decides about each of them. */
export async function observe(
  cluster: Cluster,
  lab: LabState,
  subjects: readonly Subject[],
): Promise<Map<Subject, Observed>> {
  const observed = new Map<Subject, Observed>();
  const silent = (): Subject[] => subjects.filter((subject) => !observed.has(subject));
  /** Takes down who is issued by now. One that nothing was done to was late, and is issued as it is. */
  const collect = async (targets: readonly Subject[], judge: Judge): Promise<void> => {
    const issuing = await conditionsOf(cluster, 'Issuing');
    for (const subject of silent()) {
      const condition = issuing.get(keyOf(subject));
      if (condition?.status !== 'True') continue;
      observed.set(subject, targets.includes(subject) ? judge(condition) : ordered(condition));
    }
  };
  const onAll = (targets: readonly Subject[], change: (subject: Subject) => Promise<unknown>) =>
    pMap(targets, change, { concurrency });

  await startController(cluster, lab);
  const judged = async (): Promise<boolean> => {
    const ready = await conditionsOf(cluster, 'Ready');
    return subjects.filter(isJudged).every((subject) => ready.has(keyOf(subject)));
  };
  await until('cert-manager to have judged every Certificate', judged, { seconds: slowestRound });
  await passCanaries(cluster, 'as-it-is');
  await collect([], ordered);

  const failed = silent().filter(({ input }) => input.certificate.status?.lastFailureTime !== undefined);
  await onAll(failed, ({ input, namespace }) => {
    const ref = { namespace, name: input.certificate.metadata.name };
    return cluster.patch(kinds.certificate, ref, [{ op: 'remove', path: '/status/lastFailureTime' }], 'status');
  });
  await passCanaries(cluster, 'without-failure');
  await collect(failed, (condition) => ({ ...ordered(condition), verdict: 'blocked' }));

  const filled = silent().filter(({ input }) => input.secret?.data !== undefined);
  const secrets = new Map(filled.map((one) => [`${one.namespace}/${one.input.certificate.spec.secretName}`, one]));
  await onAll([...secrets.values()], ({ input, namespace }) =>
    emptyKey(cluster, namespace, input.certificate.spec.secretName),
  );
  await passKeptCanaries(cluster);
  await passCanaries(cluster, 'without-key');
  // The reason tells an answer to the emptied key from one that came late.
  await collect(filled, (condition) => (condition.reason === emptied ? unannounced('keep') : ordered(condition)));

  const requested = silent().filter((subject) => ownRequests(subject).length > 0);
  await onAll(requested, async (subject) => {
    for (const name of ownRequests(subject)) {
      await cluster.delete(kinds.certificateRequest, { namespace: subject.namespace, name });
    }
    await touch(cluster, subject);
  });
  await answer(cluster, requested);
  await collect(requested, () => unannounced('blocked'));

  const shared = silent().filter((subject) => rivals(subject).length > 0);
  await onAll(shared, async (subject) => {
    for (const name of rivals(subject)) {
      await cluster.delete(kinds.certificate, { namespace: subject.namespace, name });
    }
    await touch(cluster, subject);
  });
  await answer(cluster, shared);
  await collect(shared, () => unannounced('not-owner'));

  for (const subject of silent()) {
    // Nothing can be taken away from a deletion; that it was looked at is known from the canaries.
    observed.set(subject, unannounced(isDeleted(subject) ? 'keep' : 'silent'));
  }
  for (const [subject, { verdict }] of observed) {
    // 1.17 says that it issues for one that is being deleted, and then makes no request.
    if (verdict === 'order' && isDeleted(subject) && !(await isRequested(cluster, subject))) {
      observed.set(subject, unannounced('keep'));
    }
  }
  return observed;
}

function ordered({ reason, message }: Condition): Observed {
  return { verdict: 'order', reason, message };
}

/** A verdict for which cert-manager writes no reason. */
function unannounced(verdict: Observed['verdict']): Observed {
  return { verdict, reason: undefined, message: undefined };
}

function isDeleted({ input }: Subject): boolean {
  return input.certificate.metadata.deletionTimestamp !== undefined;
}

/** Whether a Certificate that is issued gets its request, for which a key is made first. */
async function isRequested(cluster: Cluster, { namespace }: Subject): Promise<boolean> {
  const some = async (): Promise<boolean> =>
    (await cluster.list(kinds.certificateRequest, { namespace })).items.length > 0;
  return (await found(some, { seconds: 30 })) ?? false;
}

function keyOf({ namespace, input }: Subject): string {
  return `${namespace}/${input.certificate.metadata.name}`;
}

/** Whether the readiness controller gives a Certificate a Ready condition; it does not where it cannot tell its request. */
function isJudged({ input }: Subject): boolean {
  const { certificate, requests } = input;
  return certificate.metadata.deletionTimestamp === undefined && revisionRequests(certificate, requests).ok;
}

function ownRequests({ input }: Subject): string[] {
  const { uid } = input.certificate.metadata;
  return input.requests.filter(({ metadata }) => controllerUid(metadata) === uid).map(({ metadata }) => metadata.name);
}

/** The other Certificates on the same Secret. */
function rivals({ input }: Subject): string[] {
  const { metadata, spec } = input.certificate;
  return input.siblings
    .filter((one) => one.spec.secretName === spec.secretName && one.metadata.name !== metadata.name)
    .map((one) => one.metadata.name);
}

async function conditionsOf(cluster: Cluster, type: string): Promise<Map<string, Condition>> {
  const { items } = await cluster.list<WithConditions>(kinds.certificate);
  return new Map(
    items.flatMap(({ metadata, status }) => {
      const found = status?.conditions?.find((condition) => condition.type === type);
      return found === undefined ? [] : [[`${metadata.namespace}/${metadata.name}`, found] as const];
    }),
  );
}

/** Has cert-manager look at a Certificate again. */
async function touch(cluster: Cluster, { namespace, input }: Subject): Promise<void> {
  const value = { ...input.certificate.metadata.annotations, 'proof/touched': 'true' };
  const ref = { namespace, name: input.certificate.metadata.name };
  await cluster.patch(kinds.certificate, ref, [{ op: 'add', path: '/metadata/annotations', value }]);
}

async function emptyKey(cluster: Cluster, namespace: string, name: string): Promise<void> {
  await cluster.patch(kinds.secret, { namespace, name }, [{ op: 'add', path: '/data/tls.key', value: '' }]);
}

/** Waits until all are issued, or long enough that whoever is not will not be. */
async function answer(cluster: Cluster, targets: readonly Subject[]): Promise<void> {
  const answered = async (): Promise<boolean> => {
    const issuing = await conditionsOf(cluster, 'Issuing');
    return targets.every((target) => issuing.get(keyOf(target))?.status === 'True');
  };
  await found(answered, { seconds: 15 });
}

/**
 * Two Certificates without Secrets, the second made when the first is issued. The trigger controller takes Certificates in the
 * order in which they were made or changed, so when the first is issued, whoever was before it has been taken; the second
 * gives those that another of its five workers still had in hand a whole round to end.
 */
async function passCanaries(cluster: Cluster, stage: string): Promise<void> {
  for (const turn of ['first', 'second']) {
    const name = `${stage}-${turn}`;
    const spec = { secretName: name, dnsNames: ['canary.example.org'], issuerRef: { name: 'none' } };
    await makeCertificate(cluster, { metadata: { name }, spec }, barrierNamespace);
    await untilIssued(cluster, [`${barrierNamespace}/${name}`]);
  }
}

/** The same for changes of Secrets: what was changed before theirs has arrived when theirs has. */
async function passKeptCanaries(cluster: Cluster): Promise<void> {
  for (const namespace of keptCanaries) await emptyKey(cluster, namespace, 'registry-tls');
  await untilIssued(
    cluster,
    keptCanaries.map((namespace) => `${namespace}/registry-cert`),
  );
}

async function untilIssued(cluster: Cluster, keys: readonly string[]): Promise<void> {
  const issued = async (): Promise<boolean> => {
    const issuing = await conditionsOf(cluster, 'Issuing');
    return keys.every((key) => issuing.get(key)?.status === 'True');
  };
  await until(`${keys.join(', ')} to be issued`, issued, { seconds: slowestRound });
}
