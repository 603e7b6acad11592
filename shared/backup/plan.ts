import { exactSetBudget, identifierKey, withRefusal } from '../certificates/budget.js';
import { type CertificateIndex, certificateIndex } from '../certificates/certificate-index.js';
import { forecast } from '../certificates/forecast.js';
import { controllerUid, type Secret } from '../certificates/model.js';
import { crashReason } from '../certificates/trigger-policies.js';
import { identifiersOf } from '../certificates/x509.js';
import { keyOf, kinds } from '../cluster/objects.js';
import { isAcme } from '../facts/acme.js';
import type { LedgerEntry } from '../facts/anchor.js';
import { askedFor, unseenGateways } from '../facts/asked-for.js';
import { canAct, rulesVersion } from '../facts/cert-manager.js';
import { makerOf, type Observation, secretKeyOf } from '../facts/observation.js';
import { hasRole, kindOf as kindOfItem } from '../facts/roles.js';
import { type LiveSecret, leafOf } from '../facts/secrets.js';
import { isTeamNamespace, managedNamespaces } from '../platform/resources.js';
import { calledOff, revisionOf, withoutIssuing } from './called-off.js';
import { asWritten, type DecideContext, type Decision, decide } from './decide.js';
import { excuses } from './excuses.js';
import { issuedBefore, refusedByCa } from './issued-before.js';
import { unlabelledOf, unlabelledWarning } from './labels.js';
import {
  type CertificateForecast,
  couldOrder,
  isCounted,
  type Known,
  liveKey,
  type PlanLine,
  type RestorePlan,
  secretsWritten,
} from './restore-plan.js';
import { type CertificateRecord, mergedLedger, type Snapshot, type SnapshotObject } from './snapshot.js';

export interface PlanInput {
  seen: Observation;
  /** Live counterparts of the snapshot's objects, and the live Secrets of all other certificates, by `liveKey`. */
  live: ReadonlyMap<string, LiveSecret>;
  snapshot: Snapshot;
  /** cert-manager's version at the time of the backup, used where none runs now. */
  recordedCertManager: string;
  /** Certificates as an installer that runs next will make them, or change the present ones to. */
  installer?: readonly CertificateRecord[];
}

/** Plans a restore: pure, so that the same observation always gives the same plan. */
export function planRestore({ seen, live, snapshot, recordedCertManager, installer = [] }: PlanInput): RestorePlan {
  const version = rulesVersion(seen.certManager, recordedCertManager);
  const context = decideContextOf(seen, version);
  const lines = withoutEmptyNamespaces(
    snapshot.objects.map((item): PlanLine => {
      const decision = decide(item, live.get(liveKey(item)), context);
      return { ...decision, item, subject: `${kindOfItem(item).kind} ${subjectOf(item)}` };
    }),
  );
  const planned = plannedSecrets(lines, live);
  const certificates = allCertificates(seen, snapshot.certificates, version, installer);
  const { aborts, staleRequests } = calledOff(seen, lines, planned, version);
  const gone = new Set([
    ...staleRequests.map(keyOf),
    ...aborts.flatMap(({ namespace, requests }) => requests.map((name) => keyOf({ namespace, name }))),
  ]);
  const known = [...(seen.anchor?.ledger ?? []), ...snapshot.ledger, ...issuedBefore(seen, secretsOf(live))];
  const ledger = mergedLedger(known, seen.now);
  const forecasting: ForecastContext = {
    seen,
    planned,
    aborted: new Set(aborts.map(({ namespace, certificate }) => keyOf({ namespace, name: certificate }))),
    index: certificateIndex(
      {
        certificates: certificates.map(({ certificate }) => certificate),
        requests: seen.requests.filter(({ metadata }) => !gone.has(keyOf(metadata))),
      },
      (key) => planned.get(key),
    ),
    version,
    ledger: Map.groupBy(ledger, ({ identifiers }) => identifierKey(identifiers)),
    refused: refusedByCa(seen),
    excuse: excuses({ seen, lines, records: snapshot.certificates, installer }),
  };
  const forecasts = certificates.map((one) => forecastOf(one, forecasting));
  const written = secretsWritten(lines);
  const unlabelled = unlabelledOf(live.values(), context.claimed).filter(
    ({ metadata }) => !written.has(keyOf(metadata)),
  );
  const plan: RestorePlan = {
    lines,
    certificates: forecasts,
    aborts,
    staleRequests,
    unlabelled,
    orders: forecasts.filter(isCounted).length,
    warnings: [
      ...warningsOf(seen, lines, version),
      ...warningsOfOrders(forecasts),
      ...unlabelled.map(unlabelledWarning),
    ],
  };
  if (!seen.canBrake && needsBrake(seen, plan)) plan.warnings.push(unbrakedWarning);
  return plan;
}

const unbrakedWarning =
  'this cluster cannot deny orders (before Kubernetes 1.30), and cert-manager runs and is asked for what is restored: a restore asks for `allow: stop-cert-manager`, or for cert-manager to be scaled to 0';

/** Whether cert-manager could order while a plan is carried out, so that it must be kept from it. */
export function needsBrake(seen: Observation, plan: RestorePlan): boolean {
  const { certManager, groups, certificates } = seen;
  const asking = [...certificates, ...askedFor(seen).map(({ certificate }) => certificate)].map(secretKeyOf);
  return canAct(certManager) && groups.has('acme.cert-manager.io') && couldOrder(plan, asking);
}

/** What decisions about single objects are made from, besides the object and its live counterpart. */
export function decideContextOf(seen: Observation, version: string): DecideContext {
  return {
    now: seen.now,
    certManager: version,
    claimed: new Set(seen.certificates.map(secretKeyOf)),
    managed: managedNamespaces(seen.namespaces.filter(({ metadata }) => metadata.deletionTimestamp === undefined)),
  };
}

/** A namespace is made for what is restored into it, and for nothing else. */
function withoutEmptyNamespaces(lines: PlanLine[]): PlanLine[] {
  const needed = new Set(
    lines.filter(({ action }) => action !== 'skip').flatMap(({ item }) => item.object.metadata.namespace ?? []),
  );
  return lines.map(
    (line): PlanLine =>
      line.action === 'create' && hasRole(line.item, 'namespace') && !needed.has(line.item.object.metadata.name)
        ? { ...line, action: 'skip', reason: 'nothing of the backup is restored into it' }
        : line,
  );
}

/** The Secrets of all certificates that a forecast is made for, whether a backup holds them or not. */
export function forecastSecrets(
  seen: Observation,
  records: readonly CertificateRecord[],
  installer: readonly CertificateRecord[],
): { namespace: string; name: string }[] {
  const version = rulesVersion(seen.certManager);
  return allCertificates(seen, records, version, installer).map(({ certificate }) => ({
    namespace: certificate.metadata.namespace ?? '',
    name: certificate.spec.secretName,
  }));
}

/** Live Certificates, those of the backup that setup and the shims will make again, and what live Ingresses and Gateways ask for. */
function allCertificates(
  seen: Observation,
  records: readonly CertificateRecord[],
  version: string,
  installer: readonly CertificateRecord[],
): Known[] {
  const known = new Map<string, Known>();
  for (const certificate of seen.certificates) {
    known.set(keyOf(certificate.metadata), {
      certificate,
      origin: makerOf(certificate),
      acme: isAcme(certificate, seen),
    });
  }
  for (const { metadata, spec, origin, acme } of records) {
    const key = keyOf(metadata);
    if (!known.has(key)) known.set(key, { certificate: { metadata, spec }, origin, acme });
  }
  for (const { certificate } of askedFor(seen, version)) {
    const key = keyOf(certificate.metadata);
    if (!known.has(key)) known.set(key, { certificate, origin: 'intent', acme: isAcme(certificate, seen) });
  }
  for (const { metadata, spec, origin, acme } of installer) {
    const key = keyOf(metadata);
    const present = known.get(key);
    // The installer writes what it knows of a spec, and leaves the rest as it is.
    const certificate = present
      ? { ...present.certificate, spec: { ...present.certificate.spec, ...spec } }
      : { metadata, spec };
    known.set(key, {
      certificate,
      origin: present?.origin ?? origin,
      acme: isAcme(certificate, seen) || (acme && !present),
    });
  }
  return [...known.values()];
}

interface ForecastContext {
  seen: Observation;
  planned: ReadonlyMap<string, Secret>;
  /** `namespace/name` of the Certificates whose issuance is called off. */
  aborted: ReadonlySet<string>;
  index: CertificateIndex;
  version: string;
  /** By the set of names that shares a limit. */
  ledger: ReadonlyMap<string, LedgerEntry[]>;
  /** Until when the CA refuses, by the same. */
  refused: ReadonlyMap<string, Date>;
  excuse: (known: Known, reason: string) => CertificateForecast['excused'];
}

function forecastOf(known: Known, context: ForecastContext): CertificateForecast {
  const { certificate, origin, acme } = known;
  const { seen, planned, version, index } = context;
  const namespace = certificate.metadata.namespace ?? '';
  const { name } = certificate.metadata;
  const secret = planned.get(secretKeyOf(certificate));
  const told = forecast({
    certificate: context.aborted.has(keyOf({ namespace, name })) ? withoutIssuing(certificate) : certificate,
    secret,
    siblings: index.claimants(certificate),
    requests: index.requestsOf(certificate),
    now: seen.now,
    certManagerVersion: version,
  });
  const leaf = leafOf(secret as LiveSecret | undefined, version);
  const identifiers = leaf ? identifiersOf(leaf) : [...(certificate.spec.dnsNames ?? [])].sort();
  const issued = (context.ledger.get(identifierKey(identifiers)) ?? []).map((entry) => ({
    ...entry,
    at: new Date(entry.at),
  }));
  return {
    namespace,
    name,
    secretName: certificate.spec.secretName,
    origin,
    identifiers,
    issuer: certificate.spec.issuerRef.name,
    issuedBy: leaf?.issuerText,
    serial: leaf?.serial,
    notAfter: leaf?.notAfter,
    verdict: told.verdict,
    reason: told.reason ?? (told.verdict === 'keep' ? 'up to date' : ''),
    message: told.message,
    due: told.due,
    // An ACME server decides on usages and lifetime itself: what a spec says of them never takes effect.
    drift: acme ? told.drift.filter((field) => field !== 'usages' && field !== 'duration') : told.drift,
    acme,
    excused: told.verdict === 'order' ? context.excuse(known, told.reason ?? '') : undefined,
    budget: acme
      ? withRefusal(
          exactSetBudget(identifiers, issued, seen.now),
          context.refused.get(identifierKey(identifiers)),
          seen.now,
        )
      : undefined,
  };
}

/** The live Secrets by `namespace/name`, without what else there is of the backup's objects. */
function secretsOf(live: ReadonlyMap<string, LiveSecret>): Map<string, LiveSecret> {
  return new Map(
    [...live.values()].filter(({ kind }) => kind === 'Secret').map((secret) => [keyOf(secret.metadata), secret]),
  );
}

/**
 * The TLS Secrets as they will be: written ones from the backup, all others as they are, those included that are newer
 * than the backup.
 */
function plannedSecrets(lines: PlanLine[], live: ReadonlyMap<string, LiveSecret>): Map<string, Secret> {
  const planned = new Map<string, Secret>(secretsOf(live));
  for (const { item, action } of lines.filter((line) => kindOfItem(line.item) === kinds.secret)) {
    const written =
      action === 'create' || action === 'replace' ? (asWritten(item, action) as LiveSecret) : live.get(liveKey(item));
    if (written !== undefined) planned.set(keyOf(item.object.metadata), written);
  }
  return planned;
}

function warningsOf(seen: Observation, lines: PlanLine[], version: string): string[] {
  const leftovers = seen.requests
    .filter((request) => controllerUid(request.metadata) === undefined && revisionOf(request) === 1)
    .map(
      ({ metadata }) =>
        `CertificateRequest ${keyOf(metadata)} has no owner: it will block the first renewal of its Certificate; delete it`,
    );
  const replacedAccounts = lines
    .filter(
      ({ item, action, reason }) => hasRole(item, 'account-key') && action === 'keep' && reason.startsWith('another'),
    )
    .map(
      ({ subject }) =>
        `${subject}: another ACME account is in use than at the time of the backup; certificates are not affected`,
    );
  const unready =
    seen.certManager.state === 'unready'
      ? ['cert-manager has no available pod: it will see the Secrets when it starts, before it acts']
      : [];
  const spurious =
    version.replace(/^v/, '') === '1.19.0'
      ? ['cert-manager 1.19.0 orders again where an issuerRef leaves out its kind or group; 1.19.1 does not']
      : [];
  const doubt = seen.certManager.doubt === undefined ? [] : [seen.certManager.doubt];
  return [
    ...leftovers,
    ...replacedAccounts,
    ...unready,
    ...spurious,
    ...ghosts(lines),
    ...doubt,
    ...unseenGateways(seen),
  ];
}

function subjectOf({ object }: SnapshotObject): string {
  return object.metadata.namespace === undefined ? object.metadata.name : keyOf(object.metadata);
}

/** Team namespaces that do not come back, and those that come back for a certificate only. */
function ghosts(lines: readonly PlanLine[]): string[] {
  const teams = lines.filter(
    ({ item, action }) =>
      hasRole(item, 'namespace') &&
      isTeamNamespace(item.object.metadata.name) &&
      (action === 'skip' || action === 'create'),
  );
  const told = (action: Decision['action'], what: string): string[] => {
    const names = teams.filter((line) => line.action === action).map(({ item }) => item.object.metadata.name);
    const more = names.length > named ? ` and ${names.length - named} more` : '';
    return names.length === 0 ? [] : [`${what}: ${names.slice(0, named).join(', ')}${more}`];
  };
  return [
    ...told('skip', 'teams go with the platform’s database, and their namespaces are made again with them'),
    ...told(
      'create',
      'only the certificates of these teams are restored; make the teams again, and the platform completes their namespaces',
    ),
  ];
}

const named = 10;

/** Orders that are told and not counted, those that Let's Encrypt would not fulfil, and what cert-manager does not survive. */
function warningsOfOrders(forecasts: readonly CertificateForecast[]): string[] {
  const ordering = forecasts.filter(({ verdict, acme }) => verdict === 'order' && acme);
  const told = ordering
    .filter(({ excused }) => excused !== undefined)
    .map((one) => `${one.namespace}/${one.name} ${excuseInWords(one)}: it is not counted as an order of this restore`);
  const bySet = Map.groupBy(ordering, ({ identifiers }) => identifierKey(identifiers));
  const short = [...bySet.values()].flatMap((group) => {
    const [first] = group;
    const left = first?.budget?.left ?? Number.POSITIVE_INFINITY;
    return first === undefined || group.length <= left
      ? []
      : [
          `${first.identifiers.join(', ')}: ${group.length} to be issued, and Let’s Encrypt issues ${left} now; one more at ${first.budget?.nextRefill?.toISOString()}`,
        ];
  });
  const deadly = forecasts.filter(({ reason }) => reason === crashReason);
  return [...told, ...short, ...deadly.map(({ namespace, name, message }) => `${namespace}/${name}: ${message}`)];
}

function excuseInWords({ excused, reason, notAfter }: CertificateForecast): string {
  if (excused === 'renewal') {
    return `is due for renewal in any case${notAfter === undefined ? '' : ` (it ends ${notAfter.toISOString()})`}`;
  }
  return excused === 'standing'
    ? `is being issued or will be, with or without this restore (${reason})`
    : `had to be issued already when the backup was made (${reason})`;
}
