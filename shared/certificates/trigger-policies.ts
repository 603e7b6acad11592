/**
 * The nine checks by which cert-manager decides that a certificate must be issued, in its order.
 * Source: cert-manager internal/controller/certificates/policies (policies.go NewTriggerPolicyChain, checks.go).
 */
import { apiTime, listText, timeText } from './go-text.js';
import {
  annotation,
  type Certificate,
  type CertificateRequest,
  type CertificateSpec,
  groupOf,
  kindOf,
  type Secret,
  secretBytes,
} from './model.js';
import { decodePrivateKey } from './private-key.js';
import type { PublicKey } from './public-key.js';
import { renewalTime } from './renewal.js';
import { alternativeNameMismatches, requestFacts, requestMismatches } from './requests.js';
import type { CertManagerVersion } from './version.js';
import { type CertificateFacts, decodeLeaf, pairProblem, publicKeysEqual } from './x509.js';

/** Number of a check in the chain. */
export type Check = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9;

/** cert-manager's reasons to issue (internal/controller/certificates/policies/constants.go). */
export type TriggerReason =
  | 'DoesNotExist'
  | 'MissingData'
  | 'InvalidKeyPair'
  | 'InvalidCertificate'
  | 'InvalidCertificateRequest'
  | 'IncorrectIssuer'
  | 'IncorrectCertificate'
  | 'SecretMismatch'
  | 'RequestChanged'
  | 'Renewing';

/** A check that failed. */
export interface Violation {
  readonly check: Check;
  readonly reason: TriggerReason;
  readonly message: string;
}

/** What cert-manager's controller dies of, over and over: it then decides about no Certificate at all. */
export interface Crash {
  readonly crash: string;
}

/** What the forecast calls that; cert-manager has no reason for it. */
export const crashReason = 'ControllerCrash';

/** What the chain looks at. */
export interface TriggerInput {
  readonly certificate: Certificate;
  readonly secret: Secret | undefined;
  /** The request of the present revision, if it still exists. */
  readonly current: CertificateRequest | undefined;
  readonly now: Date;
  readonly version: CertManagerVersion;
  /** Whether cert-manager runs with the feature gate ACMEUseARI. */
  readonly renewalInfo: boolean;
}

/** The first check that fails, or that cert-manager does not survive; undefined if the certificate is kept. */
export function triggerViolation(input: TriggerInput): Violation | Crash | undefined {
  const { secret, version } = input;
  if (secret === undefined) return violation(1, 'DoesNotExist', 'Issuing certificate as Secret does not exist');
  const missing = missingData(secret);
  if (missing !== undefined) return violation(2, 'MissingData', missing);
  const key = decodePrivateKey(secretBytes(secret, 'tls.key'), version);
  const leaf = decodeLeaf(secretBytes(secret, 'tls.crt'), version);
  const pair = pairProblem(key, leaf);
  if (pair !== undefined) return violation(3, pair.reason, pair.message);
  if (!key.ok || !leaf.ok) throw new Error('a pair that matched can be decoded');
  return (
    issuerViolation(secret, input.certificate.spec) ??
    certificateNameViolation(secret, input.certificate) ??
    keySpecViolation(key.value.publicKey, input.certificate.spec) ??
    requestKeyViolation(key.value.publicKey, input) ??
    specViolation(leaf.value, input) ??
    renewalViolation(leaf.value, input)
  );
}

function violation(check: Check, reason: TriggerReason, message: string): Violation {
  return { check, reason, message };
}

/** Check 2, SecretIsMissingData. */
function missingData(secret: Secret): string | undefined {
  if (secret.data === undefined) return 'Issuing certificate as Secret does not contain any data';
  if (secretBytes(secret, 'tls.key').length === 0)
    return 'Issuing certificate as Secret does not contain a private key';
  if (secretBytes(secret, 'tls.crt').length === 0)
    return 'Issuing certificate as Secret does not contain a certificate';
  return undefined;
}

/**
 * Check 4, SecretIssuerAnnotationsMismatch. With no annotation at all a Secret still fits the default kind and group, so a bare
 * Secret is kept for a namespaced Issuer and issued anew for a ClusterIssuer.
 */
function issuerViolation(secret: Secret, spec: CertificateSpec): Violation | undefined {
  const found = secret.metadata.annotations ?? {};
  const name = found[annotation.issuerName];
  const kind = found[annotation.issuerKind];
  const group = found[annotation.issuerGroup];
  const named = name !== undefined || kind !== undefined || group !== undefined;
  const same =
    (!named || (name ?? '') === spec.issuerRef.name) &&
    kindOf(kind) === kindOf(spec.issuerRef.kind) &&
    groupOf(group) === groupOf(spec.issuerRef.group);
  if (same) return undefined;
  const previous = `${kindOf(kind)}.${groupOf(group)}/${name ?? ''}`;
  return violation(
    4,
    'IncorrectIssuer',
    `Issuing certificate as Secret was previously issued by ${JSON.stringify(previous)}`,
  );
}

/** Check 5, SecretCertificateNameAnnotationsMismatch: only if the annotation is there. */
function certificateNameViolation(secret: Secret, certificate: Certificate): Violation | undefined {
  const name = secret.metadata.annotations?.[annotation.certificateName];
  if (name === undefined || name === certificate.metadata.name) return undefined;
  return violation(
    5,
    'IncorrectCertificate',
    `Secret was issued for ${JSON.stringify(name)}. If this message is not transient, you might have two conflicting Certificates pointing to the same secret.`,
  );
}

/** Check 6, SecretPrivateKeyMismatchesSpec (pkg/util/pki/match.go PrivateKeyMatchesSpec). The encoding does not count. */
function keySpecViolation(key: PublicKey, spec: CertificateSpec): Violation | undefined {
  const field = keySpecMismatch(key, spec);
  if (field === undefined) return undefined;
  return violation(6, 'SecretMismatch', `Existing private key is not up to date for spec: ${listText([field])}`);
}

function keySpecMismatch(key: PublicKey, spec: CertificateSpec): string | undefined {
  const algorithm = spec.privateKey?.algorithm || 'RSA';
  if (key.algorithm !== algorithm) return 'spec.privateKey.algorithm';
  if (algorithm === 'Ed25519') return undefined;
  const asked = spec.privateKey?.size ?? 0;
  const size = asked > 0 ? asked : algorithm === 'RSA' ? 2048 : 256;
  return key.bits === size ? undefined : 'spec.privateKey.size';
}

/** Check 7, SecretPublicKeyDiffersFromCurrentCertificateRequest: what a Secret restored over a newer issuance runs into. */
function requestKeyViolation(key: PublicKey, { current, version }: TriggerInput): Violation | undefined {
  if (current === undefined) return undefined;
  const request = requestFacts(current, version);
  if (!request.ok) {
    return violation(7, 'InvalidCertificateRequest', `Failed to decode current CertificateRequest: ${request.error}`);
  }
  const equal = publicKeysEqual(request.value.publicKey, key);
  if (!equal.ok) {
    return violation(7, 'InvalidCertificateRequest', `CertificateRequest's public key is invalid: ${equal.error}`);
  }
  if (equal.value) return undefined;
  return violation(
    7,
    'SecretMismatch',
    'Secret contains a private key that does not match the current CertificateRequest',
  );
}

/** Check 8, CurrentCertificateRequestMismatchesSpec: by the request if there is one, else loosely by the certificate. */
function specViolation(leaf: CertificateFacts, { certificate, current, version }: TriggerInput): Violation | undefined {
  if (current !== undefined) {
    const mismatches = requestMismatches(current, certificate.spec, version);
    if (!mismatches.ok || mismatches.value.length === 0) return undefined;
    const fields = listText(mismatches.value);
    return violation(8, 'RequestChanged', `Fields on existing CertificateRequest resource not up to date: ${fields}`);
  }
  const mismatches = nameMismatches(leaf, certificate.spec);
  if (mismatches.length === 0) return undefined;
  return violation(
    8,
    'SecretMismatch',
    `Issuing certificate as Existing issued Secret is not up to date for spec: ${listText(mismatches)}`,
  );
}

/**
 * The names that a certificate and a spec do not share. A name may be in the common name of one and the DNS names of the other,
 * and case counts. Usages, duration and subject do not (pkg/util/pki/match.go FuzzyX509AltNamesMatchSpec).
 */
function nameMismatches(leaf: CertificateFacts, spec: CertificateSpec): string[] {
  const nonEmpty = (name: string | undefined) => (name === undefined || name === '' ? [] : [name]);
  const wanted = new Set([...(spec.dnsNames ?? []), ...nonEmpty(spec.commonName)]);
  const found = new Set([...leaf.names.dns, ...nonEmpty(leaf.commonName)]);
  const fields: string[] = [];
  if (
    nonEmpty(spec.commonName).some((name) => !found.has(name)) ||
    nonEmpty(leaf.commonName).some((name) => !wanted.has(name))
  ) {
    fields.push('spec.commonName');
  }
  if ((spec.dnsNames ?? []).some((name) => !found.has(name)) || leaf.names.dns.some((name) => !wanted.has(name))) {
    fields.push('spec.dnsNames');
  }
  return [...fields, ...alternativeNameMismatches(leaf.names, spec)];
}

/** Check 9, CurrentCertificateNearingExpiry, with the trigger controller's reading of a window that cannot be met. */
function renewalViolation(leaf: CertificateFacts, input: TriggerInput): Violation | Crash | undefined {
  const { certificate, now, version } = input;
  if (version.atLeast(1, 21) && certificate.spec.renewal?.policy === 'Disabled') return undefined;
  const scheduled = timeText(apiTime(certificate.status?.renewalTime));
  const message = `Renewing certificate as renewal was scheduled at ${scheduled}`;
  const suggested = suggestedRenewal(leaf, input);
  if (suggested !== undefined) return now < suggested ? undefined : violation(9, 'Renewing', message);
  const due = renewalTime(leaf, certificate.spec, version);
  if (due?.crash !== undefined) return { crash: due.crash };
  if (due === undefined || now < due.at) return undefined;
  if (due.windowError === undefined) return violation(9, 'Renewing', message);
  return violation(9, 'Renewing', `Renewing certificate without satisfying renewal windows at: ${scheduled}`);
}

/**
 * When renewal is due by the CA's own advice (ARI), where cert-manager follows it: it is then the only thing that counts, unless
 * it was given for an earlier certificate.
 */
export function suggestedRenewal(
  leaf: CertificateFacts,
  { certificate, version, renewalInfo }: Pick<TriggerInput, 'certificate' | 'version' | 'renewalInfo'>,
): Date | undefined {
  if (!renewalInfo || !version.atLeast(1, 21)) return undefined;
  const start = apiTime(certificate.status?.acme?.ari?.suggestedWindow?.start);
  return start !== undefined && start > leaf.notBefore ? start : undefined;
}
