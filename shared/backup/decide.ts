import { compareLeaves } from '../certificates/compare.js';
import { annotation, label, secretBytes } from '../certificates/model.js';
import { certManagerVersion } from '../certificates/version.js';
import { type CertificateFacts, isLetsEncryptStaging, isTemporary, keysMatch } from '../certificates/x509.js';
import type { KubeObject } from '../cluster/objects.js';
import { keyOf } from '../cluster/objects.js';
import { hasRole } from '../facts/roles.js';
import { caretakerOf, type LiveSecret, leafOf } from '../facts/secrets.js';
import { isTeamNamespace } from '../platform/resources.js';
import { onlyTlsKeys } from './role-rules.js';
import type { SnapshotObject } from './snapshot.js';

/** What a restore does with one object, and why. Plain data: applying it needs no second thought. */
export interface Decision {
  action: 'create' | 'keep' | 'add-keys' | 'replace' | 'skip' | 'refuse';
  reason: string;
  /** For `add-keys`: the keys that the live object lacks. */
  keys?: string[];
  /** For `keep` of a certificate: the live Secret holds what a restore would write, perhaps since a run that was killed. */
  isInPlace?: true;
}

export interface DecideContext {
  now: Date;
  certManager: string;
  /** `namespace/name` of the Secrets that live Certificates name: cert-manager’s, whatever is in them. */
  claimed: ReadonlySet<string>;
  /** Live namespaces that the platform marks as its own: the teams that there are. */
  managed: ReadonlySet<string>;
}

/**
 * Decides about one object of a backup from its live counterpart. Nothing that is newer, or that somebody else made
 * valid, is ever overwritten; a live certificate gives way only where it serves nobody and is cert-manager's own.
 */
export function decide(item: SnapshotObject, live: LiveSecret | undefined, context: DecideContext): Decision {
  const leaving = live && !hasRole(item, 'namespace') ? leavingReason(live) : undefined;
  if ((live === undefined || leaving !== undefined) && isGhost(item, context)) {
    return {
      action: 'skip',
      reason: 'its team went with the platform’s database; the platform makes it again with the team',
    };
  }
  if (leaving !== undefined) return { action: 'refuse', reason: leaving };
  if (hasRole(item, 'tls')) return decideTls(item, live, context);
  if (live === undefined) return { action: 'create', reason: 'it is not there' };
  if (hasRole(item, 'namespace')) return { action: 'keep', reason: 'it is there' };

  const caretaker = caretakerOf(live);
  if (caretaker !== undefined) return { action: 'keep', reason: `${caretaker} looks after it` };
  const wanted = (item.object as LiveSecret).data ?? {};
  const present = live.data ?? {};
  // A key may be called as a member that every object has.
  const lacking = Object.keys(wanted).filter((key) => !Object.hasOwn(present, key));
  const differing = Object.keys(wanted).filter((key) => Object.hasOwn(present, key) && present[key] !== wanted[key]);
  if (hasRole(item, 'platform-secret') || hasRole(item, 'platform-config')) {
    if (lacking.length > 0 && live.immutable !== true) {
      return {
        action: 'add-keys',
        keys: lacking,
        reason: `${lacking.length} of its keys are missing; present values stay`,
      };
    }
    return {
      action: 'keep',
      reason:
        lacking.length > 0
          ? `it is immutable, and lacks ${lacking.length} of its keys: ${lacking.join(', ')}`
          : differing.length === 0
            ? 'it is the same'
            : `it is there with ${differing.length} other values, which may be newer`,
    };
  }
  return {
    action: 'keep',
    reason:
      lacking.length + differing.length === 0
        ? 'it is the same'
        : 'another one is in use; replacing it would cut off what was issued with it',
  };
}

/** What is being deleted serves until its finalizers are gone, and not a moment longer; nothing can be written in its place. */
function leavingReason({ metadata }: KubeObject): string | undefined {
  if (metadata.deletionTimestamp === undefined) return undefined;
  const { finalizers = [] } = metadata;
  return `it is being deleted since ${metadata.deletionTimestamp}${finalizers.length === 0 ? '' : `, and waits for ${finalizers.join(', ')}`}: finish that first`;
}

/**
 * A pull Secret of a team is made from the team's record in the platform's database, which no backup holds: brought back
 * without it, the namespace would stand there without quota, policy and owner.
 */
export function isGhost({ roles, object }: SnapshotObject, { managed }: Pick<DecideContext, 'managed'>): boolean {
  const { namespace = '' } = object.metadata;
  return roles.every((role) => role === 'platform-secret') && isTeamNamespace(namespace) && !managed.has(namespace);
}

/**
 * The object as it is written. TLS Secrets get the label by which cert-manager caches them with their data. What goes over
 * a Secret that is there has only the keys of a certificate.
 */
export function asWritten(item: SnapshotObject, action: Decision['action'] = 'create'): KubeObject {
  const { object } = item;
  if (hasRole(item, 'namespace') && isTeamNamespace(object.metadata.name)) return withoutTeam(object);
  if (!hasRole(item, 'tls')) return object;
  // With the label, the barrier's one canary proves that cert-manager has seen all of them.
  const labels = { ...object.metadata.labels, [label.partOfCertManager]: 'true' };
  const labelled = { ...object, metadata: { ...object.metadata, labels } };
  if (action !== 'replace') return labelled;
  // The type of a Secret cannot be changed, and cert-manager takes any.
  const { type: _, ...untyped }: KubeObject = labelled;
  return { ...untyped, data: onlyTlsKeys((object as LiveSecret).data) };
}

/** A certificate in a team's namespace is restored without the team: the platform adopts the namespace when it makes the team. */
function withoutTeam(object: KubeObject): KubeObject {
  const kept = Object.entries(object.metadata.labels ?? {}).filter(([name]) => !name.includes('mcpruntime.org/'));
  const { labels: _, ...metadata } = object.metadata;
  return { ...object, metadata: { ...metadata, ...(kept.length === 0 ? {} : { labels: Object.fromEntries(kept) }) } };
}

function decideTls(item: SnapshotObject, live: LiveSecret | undefined, context: DecideContext): Decision {
  const backup = item.object as LiveSecret;
  const saved = usable(backup, context);
  const present = live === undefined ? undefined : usable(live, context);
  if (typeof saved === 'string') {
    if (live !== undefined) return { action: 'keep', reason: `the backup’s certificate is ${saved}` };
    if (item.roles.some((role) => role !== 'tls')) {
      return {
        action: 'create',
        reason: `it is not there, and more than a Certificate needs it; its certificate is ${saved}`,
      };
    }
    return { action: saved.startsWith(expired) ? 'skip' : 'refuse', reason: `the backup’s certificate is ${saved}` };
  }
  if (live === undefined) return { action: 'create', reason: 'it is not there' };
  if (typeof present === 'string' || present === undefined) return overUseless(backup, live, present, context);
  const relation = compareLeaves(saved, present);
  if (relation === 'same') return sameLeaf(backup, live);
  if (isLetsEncryptStaging(present) && !isLetsEncryptStaging(saved) && isCertManagers(live, context)) {
    return replaced(live, 'the live certificate is from a staging CA, which no client trusts');
  }
  return {
    action: 'keep',
    reason: relation === 'newer' ? 'the live certificate is valid' : 'the live certificate is newer',
  };
}

/** What is in the place of a certificate and is none that serves: it gives way if it is cert-manager's and can be written. */
function overUseless(
  backup: LiveSecret,
  live: LiveSecret,
  present: string | undefined,
  context: DecideContext,
): Decision {
  const caretaker = caretakerOf(live);
  if (caretaker !== undefined) return inTheWay(live, `a Secret that ${caretaker} looks after is in its place`);
  if (!isCertManagers(live, context)) return inTheWay(live, 'a Secret that is not cert-manager’s is in its place');
  if (live.type !== undefined && backup.type !== undefined && live.type !== backup.type) {
    return inTheWay(
      live,
      `a Secret of type ${String(live.type)} is in its place, and a Secret’s type cannot be changed`,
    );
  }
  return replaced(live, `the live certificate is ${present ?? 'absent'}`);
}

function replaced(live: LiveSecret, reason: string): Decision {
  return live.immutable === true
    ? inTheWay(live, `an immutable Secret is in its place (${reason})`)
    : { action: 'replace', reason };
}

function inTheWay({ metadata: { name, namespace } }: LiveSecret, what: string): Decision {
  const remedy = `see what it is for, and delete it first: \`kubectl delete secret -n ${namespace} ${name}\``;
  return { action: 'refuse', reason: `${what}: ${remedy}` };
}

/** Whether cert-manager looks after a Secret: it says so on it, or a Certificate names it. */
function isCertManagers({ metadata }: LiveSecret, { claimed }: DecideContext): boolean {
  return (
    metadata.annotations?.[annotation.certificateName] !== undefined ||
    metadata.labels?.[label.partOfCertManager] === 'true' ||
    claimed.has(keyOf(metadata))
  );
}

/** The same certificate without the annotations by which cert-manager knows its own would be ordered again. */
function sameLeaf(backup: LiveSecret, live: LiveSecret): Decision {
  const lost = Object.entries(backup.metadata.annotations ?? {}).filter(
    ([name, value]) => name.startsWith('cert-manager.io/') && live.metadata.annotations?.[name] !== value,
  );
  const identity = lost.filter(([name]) => /\/(?:issuer-(?:name|kind|group)|certificate-name)$/.test(name));
  return identity.length === 0
    ? { action: 'keep', reason: 'it is the same certificate', isInPlace: true }
    : replaced(live, 'it is the same certificate, and cert-manager’s annotations are missing');
}

const expired = 'expired';

/** The leaf of a TLS Secret that serves its purpose, or what is wrong with it. */
export function usable(
  secret: LiveSecret,
  { now, certManager }: Pick<DecideContext, 'now' | 'certManager'>,
): CertificateFacts | string {
  const problem = keysMatch(
    secretBytes(secret, 'tls.key'),
    secretBytes(secret, 'tls.crt'),
    certManagerVersion(certManager),
  );
  const leaf = leafOf(secret, certManager);
  if (problem !== undefined || leaf === undefined) return 'no valid pair of key and certificate';
  if (isTemporary(leaf)) return 'only cert-manager’s placeholder';
  return leaf.notAfter <= now ? `${expired} since ${leaf.notAfter.toISOString()}` : leaf;
}
