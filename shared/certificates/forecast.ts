/** The forecast: whether cert-manager will keep a certificate or order a new one, and why. */
import { backoffUntil } from './backoff.js';
import { deferredDrift, type Issued } from './drift.js';
import { type Certificate, type CertificateRequest, type Secret, secretBytes } from './model.js';
import { ownerOfSecret } from './ownership.js';
import { decodePrivateKey } from './private-key.js';
import { renewalTime } from './renewal.js';
import { revisionRequests } from './requests.js';
import {
  type Check,
  crashReason,
  suggestedRenewal,
  type TriggerReason,
  triggerViolation,
  type Violation,
} from './trigger-policies.js';
import { type CertManagerVersion, certManagerVersion } from './version.js';
import { type CertificateFacts, decodeLeaf } from './x509.js';

/** The state to forecast for: the live one, or the one that a plan would leave behind. */
export interface ForecastInput {
  readonly certificate: Certificate;
  /** The Secret that `spec.secretName` names, if it exists. */
  readonly secret: Secret | undefined;
  /** All Certificates of the namespace. */
  readonly siblings: readonly Certificate[];
  /** All CertificateRequests of the namespace. */
  readonly requests: readonly CertificateRequest[];
  readonly now: Date;
  /** Such as `v1.21.2`. */
  readonly certManagerVersion: string;
  /** Whether the controller runs with the feature gate ACMEUseARI; off by default, as it is there. */
  readonly renewalInfo?: boolean;
}

/** What cert-manager will do with one Certificate. Whether an order costs anything depends on the issuer, which is not looked at. */
export interface Forecast {
  /**
   * `keep`: nothing is issued now. `order`: a certificate is issued, or being issued. `blocked`: it would be, but cert-manager
   * holds back. `not-owner`: another Certificate owns the Secret, and this one is never issued.
   */
  readonly verdict: 'keep' | 'order' | 'blocked' | 'not-owner';
  /** The check that failed; undefined where none did, and for an issuance under way. */
  readonly check: Check | undefined;
  /** cert-manager's reason. For an issuance under way the one it was started with, which may be any, such as ManuallyTriggered. */
  readonly reason: TriggerReason | (string & {}) | undefined;
  /** cert-manager's message, as close as it can be told beforehand. */
  readonly message: string;
  /** When the present certificate is to be renewed; undefined if there is none that can be read, or renewal is disabled. */
  readonly due: Date | undefined;
  /** Until when cert-manager holds back; undefined if it does not, or waits for something that has no time. */
  readonly until: Date | undefined;
  /** For a kept certificate: fields that differ from the spec and change with the next renewal only. */
  readonly drift: readonly string[];
}

/**
 * Forecasts what cert-manager's trigger controller does next.
 * Source: cert-manager pkg/controller/certificates/trigger/trigger_controller.go ProcessItem, versions 1.16 to 1.21 with default
 * flags.
 * @throws McprtError `certmanager-version` when the version cannot be read
 */
export function forecast(input: ForecastInput): Forecast {
  const version = certManagerVersion(input.certManagerVersion);
  const { certificate, secret, now } = input;
  const renewalInfo = input.renewalInfo ?? false;
  const issued = issuedState(secret, version);
  const due = issued && dueTime(issued.leaf, { certificate, version, renewalInfo });
  const base = { check: undefined, reason: undefined, due, until: undefined, drift: [] };

  // 1.16 issues for a Certificate that is being deleted; later versions create no request for it.
  if (certificate.metadata.deletionTimestamp !== undefined && version.atLeast(1, 17)) {
    return { ...base, verdict: 'keep', message: 'Certificate is being deleted' };
  }
  const issuing = certificate.status?.conditions?.find(({ type, status }) => type === 'Issuing' && status === 'True');
  if (issuing !== undefined) {
    // The latch: nothing looks at the Secret again until this issuance has ended.
    return { ...base, verdict: 'order', reason: issuing.reason, message: issuing.message ?? '' };
  }
  const owner = ownerOfSecret(certificate, secret, input.siblings);
  if (owner !== certificate.metadata.name) {
    const message = `Certificate.Spec.SecretName refers to the same Secret as Certificate ${JSON.stringify(owner)}, which owns it`;
    return { ...base, verdict: 'not-owner', message };
  }
  const requests = revisionRequests(certificate, input.requests);
  if (!requests.ok) return { ...base, verdict: 'blocked', message: requests.error };
  const { current, next } = requests.value;

  const violation = triggerViolation({ certificate, secret, current, now, version, renewalInfo });
  if (violation === undefined) {
    const drift = issued === undefined ? [] : deferredDrift({ ...issued, request: current }, certificate.spec);
    return { ...base, verdict: 'keep', message: 'Certificate is up to date and has not expired', drift };
  }
  if ('crash' in violation) {
    const message = `cert-manager’s controller crashes on this Certificate, and issues nothing for any other: ${violation.crash}`;
    return { ...base, verdict: 'blocked', reason: crashReason, message };
  }
  const until = backoffUntil(certificate, next, now, version);
  return until === undefined
    ? { ...base, verdict: 'order', ...violation }
    : { ...base, verdict: 'blocked', ...violation, message: backoffMessage(until, violation), until };
}

function backoffMessage(until: Date, violation: Violation): string {
  const retry = `Issuance will next be attempted at ${until.toISOString()}`;
  return `Backing off from issuance due to previously failed issuance(s). ${retry}: ${violation.message}`;
}

/** What can be read of the present certificate; undefined if its leaf cannot be. */
function issuedState(secret: Secret | undefined, version: CertManagerVersion): Omit<Issued, 'request'> | undefined {
  if (secret === undefined) return undefined;
  const leaf = decodeLeaf(secretBytes(secret, 'tls.crt'), version);
  if (!leaf.ok) return undefined;
  const key = decodePrivateKey(secretBytes(secret, 'tls.key'), version);
  return { leaf: leaf.value, keyEncoding: key.ok ? key.value.encoding : undefined };
}

function dueTime(
  leaf: CertificateFacts,
  rules: { readonly certificate: Certificate; readonly version: CertManagerVersion; readonly renewalInfo: boolean },
): Date | undefined {
  const regular = renewalTime(leaf, rules.certificate.spec, rules.version)?.at;
  return regular && (suggestedRenewal(leaf, rules) ?? regular);
}
