import type { Budget } from '../certificates/budget.js';
import type { Certificate } from '../certificates/model.js';
import { keyOf, kinds } from '../cluster/objects.js';
import { kindOf } from '../facts/roles.js';
import type { LiveSecret } from '../facts/secrets.js';
import type { Decision } from './decide.js';
import type { SnapshotObject } from './snapshot.js';

/** What a restore does with one object of the backup. */
export interface PlanLine extends Decision {
  item: SnapshotObject;
  /** `Secret registry/registry-tls` */
  subject: string;
}

/** What cert-manager will make of one Certificate once the plan was applied. */
export interface CertificateForecast {
  namespace: string;
  name: string;
  secretName: string;
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
  /**
   * Why an order is none that the restore leads to; undefined for one that it does. `renewal`: it is due anyway. `standing`:
   * the restore does not touch its Secret, and cert-manager is about to issue it as things are. `before`: it had to be
   * issued when the backup was made, which was told or allowed then.
   */
  excused: 'renewal' | 'standing' | 'before' | undefined;
  budget: Budget | undefined;
}

/** How an order is told that is not counted. */
export const excuseWords: Readonly<Record<NonNullable<CertificateForecast['excused']>, string>> = {
  renewal: 'due for renewal anyway',
  standing: 'issued in any case',
  before: 'had to be issued before, too',
};

/** Whether a forecast is an order that counts: at an ACME server, and brought about by the restore. */
export function isCounted({
  verdict,
  acme,
  excused,
}: Pick<CertificateForecast, 'verdict' | 'acme' | 'excused'>): boolean {
  return verdict === 'order' && acme && excused === undefined;
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
  staleRequests: { namespace: string; certificate: string; name: string; uid: string }[];
  /** Live Secrets of certificates that cert-manager’s label is put on, before anything else. */
  unlabelled: LiveSecret[];
  /** Orders at an ACME server that the state after the restore leads to. */
  orders: number;
  warnings: string[];
}

/** A Certificate that a forecast is made for. */
export interface Known {
  certificate: Certificate;
  origin: CertificateForecast['origin'];
  acme: boolean;
}

/** Where a snapshot object's live counterpart is kept in `PlanInput.live`. */
export function liveKey(item: SnapshotObject): string {
  return `${kindOf(item).kind} ${keyOf(item.object.metadata)}`;
}

/** Whether there is anything to restore. */
export function isDue({ lines, unlabelled }: RestorePlan): boolean {
  return unlabelled.length > 0 || lines.some(({ action }) => action !== 'keep' && action !== 'skip');
}

/** `namespace/name` of the Secrets of certificates that a plan writes. */
export function secretsWritten(lines: readonly PlanLine[]): Set<string> {
  return new Set(
    lines
      .filter(({ item, action }) => kindOf(item) === kinds.secret && (action === 'create' || action === 'replace'))
      .map(({ item }) => keyOf(item.object.metadata)),
  );
}

/**
 * Whether cert-manager could order while the plan is carried out: somebody asks for a Secret that is not in its caches yet, or
 * something has begun. After a wipe nobody asks: nothing can be ordered before the Secrets are there, and none afterwards.
 *
 * @param asking `namespace/name` of the Secrets that live Certificates and Ingresses name
 */
export function couldOrder(
  { lines, aborts, staleRequests, unlabelled }: RestorePlan,
  asking: readonly string[],
): boolean {
  const unsettled = new Set([...secretsWritten(lines), ...unlabelled.map(({ metadata }) => keyOf(metadata))]);
  return aborts.length > 0 || staleRequests.length > 0 || asking.some((key) => unsettled.has(key));
}

/** `namespace/name` of the Certificates that a restore gives back their Secret, or what this run finishes of another's. */
export function certificatesRestored({ lines, certificates, aborts, staleRequests }: RestorePlan): Set<string> {
  const written = secretsWritten(lines);
  return new Set(
    [
      ...certificates.filter(({ namespace, secretName }) => written.has(keyOf({ namespace, name: secretName }))),
      ...[...aborts, ...staleRequests].map(({ namespace, certificate }) => ({ namespace, name: certificate })),
    ].map(keyOf),
  );
}
