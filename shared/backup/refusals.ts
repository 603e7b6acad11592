import { type CertificateIndex, certificateIndex } from '../certificates/certificate-index.js';
import { forecast } from '../certificates/forecast.js';
import { type Certificate, isIssuing, secretBytes } from '../certificates/model.js';
import { certManagerVersion } from '../certificates/version.js';
import { isLetsEncryptStaging, isTemporary, keysMatch } from '../certificates/x509.js';
import { textAt } from '../cluster/fields.js';
import { type KubeObject, keyOf } from '../cluster/objects.js';
import type { Anchor } from '../facts/anchor.js';
import { inventoryKeys } from '../facts/anchor.js';
import { rulesVersion } from '../facts/cert-manager.js';
import type { IsOurs } from '../facts/namespaces.js';
import { type LiveCertificate, type Observation, secretKeyOf } from '../facts/observation.js';
import { becauseOf, hasRole, type Reference } from '../facts/roles.js';
import { type LiveSecret, leafOf } from '../facts/secrets.js';
import { isTeamNamespace, platformNamespaces, pullSecretName } from '../platform/resources.js';

/** The rules by which a backup is refused; each can be allowed by its name where a team knows better. */
export const refusalRules = [
  'other-domain',
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
  /** `namespace/name` by which it can be allowed, the first one being the object's own; none for the whole cluster. */
  names: string[];
  /** Whether it concerns only what is not the platform's: then it is told, and the backup is made all the same. */
  isForeign: boolean;
  why: string;
  next: string;
}

/**
 * Looks for what would hurt later. Pure; an empty answer means that the backup is worth having.
 *
 * @param isOurs whether what is in a namespace is the platform's, or goes with it
 */
export function refusals(
  seen: Pick<Observation, 'certificates' | 'requests' | 'now' | 'certManager' | 'namespaces'>,
  references: readonly Reference[],
  secrets: ReadonlyMap<string, LiveSecret>,
  anchor: Anchor | undefined,
  isOurs: IsOurs,
): Refusal[] {
  const index = certificateIndex(seen, (key) => secrets.get(key));
  const later = certificateIndex({ certificates: seen.certificates.map(anew), requests: [] }, (key) =>
    secrets.get(key),
  );
  return [
    ...(seen.certificates.length === 0 ? [nothing(seen)] : []),
    ...references.flatMap((reference) => missing(reference, secrets)),
    ...seen.certificates.flatMap((certificate) =>
      unfit(certificate, seen, secrets, { index, later }).map((found) => ({
        ...found,
        object: `Certificate ${keyOf(certificate.metadata)}`,
        names: [keyOf(certificate.metadata), secretKeyOf(certificate)],
        isForeign: !isOurs(certificate.metadata.namespace ?? ''),
      })),
    ),
    ...smaller(references, secrets, anchor, seen, isOurs),
  ];
}

/**
 * A backup goes by the domain, and the cluster remembers the newest one whatever it goes by: made of the wrong cluster, it would
 * be found by nobody, and the right one taken for a replay.
 *
 * @param config the platform's own ConfigMap, where there is one
 */
export function otherDomain(config: KubeObject | undefined, domain: string): Refusal[] {
  const installed = textAt(config, 'data', 'MCP_PLATFORM_DOMAIN').trim().toLowerCase();
  if (installed === '' || installed === domain.toLowerCase()) return [];
  return [
    {
      rule: 'other-domain',
      object: 'the cluster',
      names: [],
      isForeign: false,
      why: `the platform on it is that of ${installed}, and this is to be a backup of ${domain}`,
      next: 'check kubeconfig and profile: one of them belongs to another cluster. Where this platform is about to get another domain, allow it until setup has run',
    },
  ];
}

/** Before a first installation, and between a restore and the setup that follows it, there is no Certificate yet. */
function nothing({ namespaces }: Pick<Observation, 'namespaces'>): Refusal {
  const present = [platformNamespaces.registry, platformNamespaces.sentinel].filter((name) =>
    namespaces.some(({ metadata }) => metadata.name === name),
  );
  const isRestored = present.length > 0;
  return {
    rule: 'nothing-to-back-up',
    object: 'the cluster',
    names: [],
    isForeign: false,
    why: `it has no Certificate at all${isRestored ? `, though there ${present.length === 1 ? 'is namespace' : 'are namespaces'} ${present.join(' and ')}, as after a restore` : ''}`,
    next: isRestored
      ? 'setup is due: run it (`action-setup`), then back up; what a restore brought is in the backup that it came from'
      : 'check that the kubeconfig names the cluster that you mean; before a first installation of MCP Runtime there is nothing to save: run setup first (`action-setup`)',
  };
}

/** A Certificate as whoever makes it again makes it. */
function anew({ metadata: { name, namespace = '' }, spec }: LiveCertificate): Certificate {
  return { metadata: { name, namespace }, spec };
}

function missing(reference: Reference, secrets: ReadonlyMap<string, LiveSecret>): Refusal[] {
  if (!reference.required || secrets.has(keyOf(reference))) return [];
  return [
    {
      rule: 'secret-missing',
      object: `Secret ${keyOf(reference)}`,
      names: [keyOf(reference), ...reference.referrers.map(keyOf)],
      isForeign: !reference.referrers.some(({ isOurs }) => isOurs),
      why: `it does not exist, and ${becauseOf(reference)} needs it`,
      next: hasRole(reference, 'tls')
        ? 'wait until cert-manager has issued it, or delete what refers to it'
        : 'make it, or delete what refers to it',
    },
  ];
}

type Unfit = Pick<Refusal, 'rule' | 'why' | 'next'>;

function unfit(
  certificate: LiveCertificate,
  seen: Pick<Observation, 'certificates' | 'requests' | 'now' | 'certManager'>,
  secrets: ReadonlyMap<string, LiveSecret>,
  { index, later }: { index: CertificateIndex; later: CertificateIndex },
): Unfit[] {
  const secret = secrets.get(secretKeyOf(certificate));
  if (isIssuing(certificate)) {
    return [
      {
        rule: 'certificate-issuing',
        why: 'it is being issued right now',
        next: 'run the backup again when it is Ready',
      },
    ];
  }
  if (secret === undefined) return [];

  const version = rulesVersion(seen.certManager);
  const pair = keysMatch(secretBytes(secret, 'tls.key'), secretBytes(secret, 'tls.crt'), certManagerVersion(version));
  const leaf = leafOf(secret, version);
  if (pair !== undefined || leaf === undefined) {
    const why = pair?.message ?? 'its certificate cannot be read';
    return [
      {
        rule: 'pair-mismatch',
        why: `${pair?.reason ?? 'InvalidCertificate'}: ${why}`,
        next: 'put the right pair into the Secret, or delete it to have a new one issued',
      },
    ];
  }
  if (isTemporary(leaf)) {
    return [
      {
        rule: 'temporary-certificate',
        why: 'its Secret holds cert-manager’s placeholder until the first issuance',
        next: 'run the backup again when it is Ready',
      },
    ];
  }
  if (isLetsEncryptStaging(leaf)) {
    return [
      {
        rule: 'staging-certificate',
        why: `it was issued by ${leaf.issuerText}, which no client trusts`,
        next: 'switch to the production issuer first, or allow it for a test cluster',
      },
    ];
  }
  if (leaf.notAfter <= seen.now) {
    return [
      {
        rule: 'expired-certificate',
        why: `it expired on ${leaf.notAfter.toISOString()}`,
        next: 'find out why cert-manager does not renew it: `kubectl describe` its CertificateRequest',
      },
    ];
  }
  const verdict = forecast({
    certificate,
    secret,
    siblings: index.claimants(certificate),
    requests: index.requestsOf(certificate),
    now: seen.now,
    certManagerVersion: version,
  });
  if (verdict.verdict !== 'keep' && verdict.verdict !== 'not-owner' && verdict.reason !== 'Renewing') {
    return [
      {
        rule: 'would-reissue',
        why: `cert-manager would replace it now: ${verdict.reason}: ${verdict.message}`,
        next: 'let cert-manager finish, then run the backup again',
      },
    ];
  }
  // Its request, its status and its age, which no backup holds, may be all that keeps it.
  const alone = forecast({
    certificate: anew(certificate),
    secret,
    siblings: later.claimants(certificate),
    requests: [],
    now: seen.now,
    certManagerVersion: version,
  });
  if (alone.verdict === 'order' && alone.reason !== 'Renewing') {
    return [
      {
        rule: 'would-reissue',
        why: `after a wipe cert-manager would replace it: ${alone.reason}: ${alone.message}`,
        next: 'make the Certificate ask for what its issuer gives, and let cert-manager issue it once, then run the backup again',
      },
    ];
  }
  return [];
}

function isTeamsPull(key: string): boolean {
  const [namespace = '', name] = key.split('/');
  return isTeamNamespace(namespace) && name === pullSecretName;
}

function smaller(
  references: readonly Reference[],
  secrets: ReadonlyMap<string, LiveSecret>,
  anchor: Anchor | undefined,
  { certManager }: Pick<Observation, 'certManager'>,
  isOurs: IsOurs,
): Refusal[] {
  const present = new Set(references.map(keyOf).filter((key) => secrets.has(key)));
  return (
    inventoryKeys(anchor)
      .filter((key) => !present.has(key))
      // The platform makes a team's pull Secret with the team, from its database: without the team it is no loss.
      .filter((key) => !isTeamsPull(key))
      .map((key): Refusal => {
        const object = `Secret ${key}`;
        const [namespace = ''] = key.split('/');
        return {
          rule: 'fewer-objects',
          object,
          names: [key],
          // Keys of issuers are the platform's too, wherever cert-manager looks for them.
          isForeign: !isOurs(namespace) && namespace !== certManager.settings.clusterResourceNamespace,
          why: `generation ${anchor?.generation} holds it, and this backup would not`,
          next: 'restore it first; where it is there, run setup, which makes again what asks for it; if it was removed on purpose, allow it once',
        };
      })
  );
}
