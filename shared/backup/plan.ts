import { type Budget, exactSetBudget } from '../certificates/budget.js';
import { forecast } from '../certificates/forecast.js';
import { shimCertificates } from '../certificates/ingress-shim.js';
import {
  annotation,
  type Certificate,
  type CertificateRequest,
  controllerUid,
  groupOf,
  isIssuing,
  kindOf,
  type Secret,
} from '../certificates/model.js';
import { identifiersOf } from '../certificates/x509.js';
import type { LedgerEntry } from './anchor.js';
import { asWritten, type Decision, decide } from './decide.js';
import { keyOf, type LiveRequest, type LiveSecret, type Observation } from './observe.js';
import { assumedCertManager, leafOf } from './refusals.js';
import { kindOfRole } from './roles.js';
import { type CertificateRecord, mergedLedger, type Snapshot, type SnapshotObject } from './snapshot.js';

export interface PlanLine extends Decision {
  item: SnapshotObject;
  /** `Secret registry/registry-tls` */
  subject: string;
}

/** What cert-manager will make of one Certificate once the plan was applied. */
export interface CertificateForecast {
  namespace: string;
  name: string;
  origin: 'explicit' | 'shim' | 'intent';
  /** Let's Encrypt's names; empty when there is no certificate. */
  identifiers: string[];
  issuer: string;
  issuedBy: string | undefined;
  serial: string | undefined;
  notAfter: Date | undefined;
  verdict: 'keep' | 'order' | 'blocked' | 'not-owner';
  reason: string;
  message: string;
  due: Date | undefined;
  drift: readonly string[];
  /** Whether an order of it counts at an ACME server. */
  acme: boolean;
  budget: Budget | undefined;
}

/** An issuance that is under way for a Certificate whose Secret the backup holds. */
export interface Abort {
  namespace: string;
  certificate: string;
  requests: string[];
}

export interface RestorePlan {
  lines: PlanLine[];
  certificates: CertificateForecast[];
  aborts: Abort[];
  /** CertificateRequests of the present revision whose key is not the backup's: cert-manager would order again. */
  staleRequests: { namespace: string; name: string; uid: string }[];
  /** Orders at an ACME server that the state after the restore leads to. */
  orders: number;
  warnings: string[];
}

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
  const version = seen.certManager.version ?? (recordedCertManager || assumedCertManager);
  const lines = snapshot.objects.map((item): PlanLine => {
    const decision = decide(item, live.get(liveKey(item)), { now: seen.now, certManager: version });
    return { ...decision, item, subject: `${kindOfRole(item.role).kind} ${subjectOf(item)}` };
  });
  const planned = plannedSecrets(lines, live);
  const certificates = allCertificates(seen, snapshot.certificates, version, installer);
  const aborts = plannedAborts(seen, lines);
  const staleRequests = plannedRemovals(seen, lines);
  const forecasts = certificates.map((one) =>
    forecastOf(one, {
      seen,
      certificates,
      planned,
      aborts,
      staleRequests,
      version,
      ledger: mergedLedger([...(seen.anchor?.ledger ?? []), ...snapshot.ledger], seen.now),
    }),
  );
  return {
    lines,
    certificates: forecasts,
    aborts,
    staleRequests,
    orders: forecasts.filter(({ verdict, acme }) => verdict === 'order' && acme).length,
    warnings: warningsOf(seen, lines, version),
  };
}

/** Where a snapshot object's live counterpart is kept in `PlanInput.live`. */
export function liveKey({ role, object }: SnapshotObject): string {
  return `${kindOfRole(role).kind} ${keyOf(object.metadata)}`;
}

/** The Secrets of all certificates that a forecast is made for, whether a backup holds them or not. */
export function forecastSecrets(
  seen: Observation,
  records: readonly CertificateRecord[],
  installer: readonly CertificateRecord[],
): { namespace: string; name: string }[] {
  const version = seen.certManager.version ?? assumedCertManager;
  return allCertificates(seen, records, version, installer).map(({ certificate }) => ({
    namespace: certificate.metadata.namespace ?? '',
    name: certificate.spec.secretName,
  }));
}

interface Known {
  certificate: Certificate;
  origin: CertificateForecast['origin'];
  acme: boolean;
}

/** Live Certificates, those of the backup that setup and ingress-shim will make again, and what live Ingresses ask for. */
function allCertificates(
  seen: Observation,
  records: readonly CertificateRecord[],
  version: string,
  installer: readonly CertificateRecord[],
): Known[] {
  const known = new Map<string, Known>();
  for (const certificate of seen.certificates) {
    const origin = certificate.metadata.ownerReferences?.some(({ kind }) => kind === 'Ingress') ? 'shim' : 'explicit';
    known.set(keyOf(certificate.metadata), { certificate, origin, acme: isAcme(certificate, seen) });
  }
  for (const { metadata, spec, origin, acme } of records) {
    const key = keyOf(metadata);
    if (!known.has(key)) known.set(key, { certificate: { metadata, spec }, origin, acme });
  }
  for (const ingress of seen.ingresses) {
    for (const certificate of shimCertificates(ingress, { certManagerVersion: version }).certificates) {
      const key = keyOf(certificate.metadata);
      if (!known.has(key)) known.set(key, { certificate, origin: 'intent', acme: isAcme(certificate, seen) });
    }
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

/** Whether a Certificate's issuer is an ACME one; one that nobody knows is taken for one, to be on the safe side. */
export function isAcme({ metadata, spec }: Certificate, { issuers }: Pick<Observation, 'issuers'>): boolean {
  const { name, kind, group } = spec.issuerRef;
  if (groupOf(group) !== 'cert-manager.io') return false;
  const found = issuers.find(
    (issuer) =>
      issuer.kind === kindOf(kind) &&
      issuer.metadata.name === name &&
      (issuer.kind === 'ClusterIssuer' || issuer.metadata.namespace === metadata.namespace),
  );
  return found === undefined || found.spec.acme !== undefined;
}

interface ForecastContext {
  seen: Observation;
  certificates: Known[];
  planned: ReadonlyMap<string, Secret>;
  aborts: Abort[];
  staleRequests: RestorePlan['staleRequests'];
  version: string;
  ledger: LedgerEntry[];
}

function forecastOf({ certificate, origin, acme }: Known, context: ForecastContext): CertificateForecast {
  const { seen, planned, version } = context;
  const namespace = certificate.metadata.namespace ?? '';
  const { name } = certificate.metadata;
  const secret = planned.get(keyOf({ namespace, name: certificate.spec.secretName }));
  const aborted = context.aborts.some((one) => one.namespace === namespace && one.certificate === name);
  const gone = new Set([
    ...context.staleRequests.map(keyOf),
    ...context.aborts.flatMap((one) =>
      one.requests.map((request) => keyOf({ namespace: one.namespace, name: request })),
    ),
  ]);
  const told = forecast({
    certificate: aborted ? withoutIssuing(certificate) : certificate,
    secret,
    siblings: context.certificates.map((one) => one.certificate).filter((one) => one.metadata.namespace === namespace),
    requests: seen.requests.filter(
      (one) => one.metadata.namespace === namespace && !gone.has(keyOf(one.metadata)),
    ) as CertificateRequest[],
    now: seen.now,
    certManagerVersion: version,
  });
  const leaf = leafOf(secret as LiveSecret | undefined, version);
  const identifiers = leaf ? identifiersOf(leaf) : [...(certificate.spec.dnsNames ?? [])].sort();
  const ledger = context.ledger.map((entry) => ({ ...entry, at: new Date(entry.at) }));
  return {
    namespace,
    name,
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
    budget: acme ? exactSetBudget(identifiers, ledger, seen.now) : undefined,
  };
}

/**
 * The TLS Secrets as they will be: written ones from the backup, all others as they are, those included that are newer
 * than the backup.
 */
function plannedSecrets(lines: PlanLine[], live: ReadonlyMap<string, LiveSecret>): Map<string, Secret> {
  const planned = new Map<string, Secret>(
    [...live.values()].filter(({ kind }) => kind === 'Secret').map((secret) => [keyOf(secret.metadata), secret]),
  );
  for (const { item, action } of lines.filter((line) => line.item.role === 'tls')) {
    const written =
      action === 'create' || action === 'replace' ? (asWritten(item) as LiveSecret) : live.get(liveKey(item));
    if (written !== undefined) planned.set(keyOf(item.object.metadata), written);
  }
  return planned;
}

/** Certificates that are being issued although the backup has what they need: the issuance is called off. */
function plannedAborts(seen: Observation, lines: PlanLine[]): Abort[] {
  const written = new Set(lines.filter(isTlsWrite).map(({ item }) => keyOf(item.object.metadata)));
  return seen.certificates
    .filter(
      (one) =>
        isIssuing(one) && written.has(keyOf({ namespace: one.metadata.namespace ?? '', name: one.spec.secretName })),
    )
    .map((one) => ({
      namespace: one.metadata.namespace ?? '',
      certificate: one.metadata.name,
      requests: seen.requests
        .filter((request) => isOwned(request, one) && revisionOf(request) === (one.status?.revision ?? 0) + 1)
        .map((request) => request.metadata.name),
    }));
}

/** A written Secret with another key than its Certificate's current request asked for would be ordered again. */
function plannedRemovals(seen: Observation, lines: PlanLine[]): RestorePlan['staleRequests'] {
  const written = new Set(lines.filter(isTlsWrite).map(({ item }) => keyOf(item.object.metadata)));
  return seen.certificates
    .filter((one) => written.has(keyOf({ namespace: one.metadata.namespace ?? '', name: one.spec.secretName })))
    .flatMap((one) =>
      seen.requests.filter((request) => isOwned(request, one) && revisionOf(request) === one.status?.revision),
    )
    .map(({ metadata }) => ({ namespace: metadata.namespace ?? '', name: metadata.name, uid: metadata.uid ?? '' }));
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
      ({ item, action, reason }) => item.role === 'account-key' && action === 'keep' && reason.startsWith('another'),
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
  return [...leftovers, ...replacedAccounts, ...unready, ...spurious];
}

function isTlsWrite({ item, action }: PlanLine): boolean {
  return item.role === 'tls' && (action === 'create' || action === 'replace');
}

function withoutIssuing(certificate: Certificate): Certificate {
  const conditions = certificate.status?.conditions?.filter(({ type }) => type !== 'Issuing') ?? [];
  return { ...certificate, status: { ...certificate.status, conditions } };
}

function isOwned(request: LiveRequest, certificate: Certificate): boolean {
  return certificate.metadata.uid !== undefined && controllerUid(request.metadata) === certificate.metadata.uid;
}

function revisionOf(request: CertificateRequest): number {
  return Number(request.metadata.annotations?.[annotation.revision]);
}

function subjectOf({ object }: SnapshotObject): string {
  return object.metadata.namespace === undefined ? object.metadata.name : keyOf(object.metadata);
}
