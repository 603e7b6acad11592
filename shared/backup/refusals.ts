import { forecast } from '../certificates/forecast.js';
import { isIssuing, secretBytes } from '../certificates/model.js';
import { certManagerVersion } from '../certificates/version.js';
import {
  type CertificateFacts,
  decodeLeaf,
  isLetsEncryptStaging,
  isTemporary,
  keysMatch,
} from '../certificates/x509.js';
import type { Anchor } from './anchor.js';
import { keyOf, type LiveCertificate, type LiveSecret, type Observation } from './observe.js';
import type { Reference } from './roles.js';

/** The rules by which a backup is refused; each can be allowed by its name where a team knows better. */
export const refusalRules = [
  'nothing-to-back-up',
  'secret-missing',
  'certificate-issuing',
  'pair-mismatch',
  'temporary-certificate',
  'staging-certificate',
  'expired-certificate',
  'would-reissue',
  'fewer-objects',
] as const;

export type RefusalRule = (typeof refusalRules)[number];

/** Why a backup must not be made: it would look like one and fail the day it is needed. */
export interface Refusal {
  rule: RefusalRule;
  /** For example `Certificate registry/registry-cert`. */
  object: string;
  why: string;
  next: string;
}

/** The version that forecasts are made for where cert-manager is not there to be asked: the newest that is known. */
export const assumedCertManager = 'v1.21.2';

/** Looks for what would hurt later. Pure; an empty answer means that the backup is worth having. */
export function refusals(
  seen: Pick<Observation, 'certificates' | 'requests' | 'now' | 'certManager'>,
  references: readonly Reference[],
  secrets: ReadonlyMap<string, LiveSecret>,
  anchor: Anchor | undefined,
): Refusal[] {
  if (seen.certificates.length === 0) {
    return [
      {
        rule: 'nothing-to-back-up',
        object: 'the cluster',
        why: 'it has no Certificate at all',
        next: 'check that the kubeconfig names the cluster that you mean; before a first installation there is nothing to save',
      },
    ];
  }
  return [
    ...references.flatMap((reference) => missing(reference, secrets)),
    ...seen.certificates.flatMap((certificate) => unfit(certificate, seen, secrets)),
    ...smaller(references, secrets, anchor),
  ];
}

/** What an anchor lists of a backup. */
export function inventoryNames(secrets: Iterable<string>): string[] {
  return [...secrets].map((key) => `Secret ${key}`).sort();
}

/** The leaf of a TLS Secret, if it has one that can be read. */
export function leafOf(
  secret: Pick<LiveSecret, 'metadata' | 'data'> | undefined,
  version: string,
): CertificateFacts | undefined {
  if (secret === undefined) return undefined;
  const leaf = decodeLeaf(secretBytes(secret, 'tls.crt'), certManagerVersion(version));
  return leaf.ok ? leaf.value : undefined;
}

function missing(reference: Reference, secrets: ReadonlyMap<string, LiveSecret>): Refusal[] {
  if (!reference.required || secrets.has(keyOf(reference))) return [];
  return [
    {
      rule: 'secret-missing',
      object: `Secret ${keyOf(reference)}`,
      why: `it does not exist, and ${reference.because} needs it`,
      next: 'wait until cert-manager has issued it, or delete what refers to it',
    },
  ];
}

function unfit(
  certificate: LiveCertificate,
  seen: Pick<Observation, 'certificates' | 'requests' | 'now' | 'certManager'>,
  secrets: ReadonlyMap<string, LiveSecret>,
): Refusal[] {
  const namespace = certificate.metadata.namespace ?? '';
  const object = `Certificate ${keyOf(certificate.metadata)}`;
  const secret = secrets.get(keyOf({ namespace, name: certificate.spec.secretName }));
  if (isIssuing(certificate)) {
    return [
      {
        rule: 'certificate-issuing',
        object,
        why: 'it is being issued right now',
        next: 'run the backup again when it is Ready',
      },
    ];
  }
  if (secret === undefined) return [];

  const version = seen.certManager.version ?? assumedCertManager;
  const pair = keysMatch(secretBytes(secret, 'tls.key'), secretBytes(secret, 'tls.crt'), certManagerVersion(version));
  const leaf = leafOf(secret, version);
  if (pair !== undefined || leaf === undefined) {
    const why = pair?.message ?? 'its certificate cannot be read';
    return [
      {
        rule: 'pair-mismatch',
        object,
        why: `${pair?.reason ?? 'InvalidCertificate'}: ${why}`,
        next: 'put the right pair into the Secret, or delete it to have a new one issued',
      },
    ];
  }
  if (isTemporary(leaf)) {
    return [
      {
        rule: 'temporary-certificate',
        object,
        why: 'its Secret holds cert-manager’s placeholder until the first issuance',
        next: 'run the backup again when it is Ready',
      },
    ];
  }
  if (isLetsEncryptStaging(leaf)) {
    return [
      {
        rule: 'staging-certificate',
        object,
        why: `it was issued by ${leaf.issuerText}, which no client trusts`,
        next: 'switch to the production issuer first, or allow it for a test cluster with `allow: staging-certificate`',
      },
    ];
  }
  if (leaf.notAfter <= seen.now) {
    return [
      {
        rule: 'expired-certificate',
        object,
        why: `it expired on ${leaf.notAfter.toISOString()}`,
        next: 'find out why cert-manager does not renew it: `kubectl describe` its CertificateRequest',
      },
    ];
  }
  const verdict = forecast({
    certificate,
    secret,
    siblings: seen.certificates.filter((one) => one.metadata.namespace === namespace),
    requests: seen.requests.filter((one) => one.metadata.namespace === namespace),
    now: seen.now,
    certManagerVersion: version,
  });
  if (verdict.verdict !== 'keep' && verdict.verdict !== 'not-owner' && verdict.reason !== 'Renewing') {
    return [
      {
        rule: 'would-reissue',
        object,
        why: `cert-manager would replace it now: ${verdict.reason}: ${verdict.message}`,
        next: 'let cert-manager finish, then run the backup again',
      },
    ];
  }
  return [];
}

function smaller(
  references: readonly Reference[],
  secrets: ReadonlyMap<string, LiveSecret>,
  anchor: Anchor | undefined,
): Refusal[] {
  const present = new Set(inventoryNames(references.map(keyOf).filter((key) => secrets.has(key))));
  return (anchor?.inventory ?? [])
    .filter((name) => !present.has(name))
    .map(
      (object): Refusal => ({
        rule: 'fewer-objects',
        object,
        why: `generation ${anchor?.generation} holds it, and this backup would not`,
        next: 'restore it first; if it was removed on purpose, run once with `allow: fewer-objects`',
      }),
    );
}
