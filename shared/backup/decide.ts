import { compareLeaves } from '../certificates/compare.js';
import { label, secretBytes } from '../certificates/model.js';
import { certManagerVersion } from '../certificates/version.js';
import { type CertificateFacts, isLetsEncryptStaging, isTemporary, keysMatch } from '../certificates/x509.js';
import type { LiveSecret } from './observe.js';
import { leafOf } from './refusals.js';
import type { SnapshotObject } from './snapshot.js';

/** What a restore does with one object, and why. Plain data: applying it needs no second thought. */
export interface Decision {
  action: 'create' | 'keep' | 'add-keys' | 'replace' | 'skip' | 'refuse';
  reason: string;
  /** For `add-keys`: the keys that the live object lacks. */
  keys?: string[];
}

export interface DecideContext {
  now: Date;
  certManager: string;
}

/**
 * Decides about one object of a backup from its live counterpart. Nothing that is newer, or that somebody else made
 * valid, is ever overwritten; a live certificate gives way only where it serves nobody.
 */
export function decide(
  { role, object }: SnapshotObject,
  live: LiveSecret | undefined,
  context: DecideContext,
): Decision {
  if (role === 'tls') return decideTls(object as LiveSecret, live, context);
  if (live === undefined) return { action: 'create', reason: 'it is not there' };
  if (role === 'namespace') return { action: 'keep', reason: 'it is there' };

  const wanted = (object as LiveSecret).data ?? {};
  const present = live.data ?? {};
  const lacking = Object.keys(wanted).filter((key) => present[key] === undefined);
  const differing = Object.keys(wanted).filter((key) => present[key] !== undefined && present[key] !== wanted[key]);
  if (role === 'platform-secret' || role === 'platform-config') {
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
        differing.length === 0
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

/** The object as it is written: TLS Secrets get the label by which cert-manager caches them with their data. */
export function asWritten({ role, object }: SnapshotObject): SnapshotObject['object'] {
  if (role !== 'tls') return object;
  // With the label, the barrier's one canary proves that cert-manager has seen all of them.
  const labels = { ...object.metadata.labels, [label.partOfCertManager]: 'true' };
  return { ...object, metadata: { ...object.metadata, labels } };
}

function decideTls(backup: LiveSecret, live: LiveSecret | undefined, context: DecideContext): Decision {
  const saved = usable(backup, context);
  const present = live === undefined ? undefined : usable(live, context);
  if (typeof saved === 'string') {
    return live === undefined
      ? { action: saved.startsWith('expired') ? 'skip' : 'refuse', reason: `the backup’s certificate is ${saved}` }
      : { action: 'keep', reason: `the backup’s certificate is ${saved}` };
  }
  if (live === undefined) return { action: 'create', reason: 'it is not there' };
  if (typeof present === 'string' || present === undefined) {
    if (live.type !== undefined && backup.type !== undefined && live.type !== backup.type) {
      return {
        action: 'refuse',
        reason: `a Secret of type ${String(live.type)} is in its place, and a Secret’s type cannot be changed: delete it first`,
      };
    }
    if (live.immutable === true) {
      return { action: 'refuse', reason: 'an immutable Secret is in its place: delete it first' };
    }
    return { action: 'replace', reason: `the live certificate is ${present ?? 'absent'}` };
  }
  if (isLetsEncryptStaging(present) && !isLetsEncryptStaging(saved)) {
    return { action: 'replace', reason: 'the live certificate is from a staging CA, which no client trusts' };
  }
  const relation = compareLeaves(saved, present);
  if (relation === 'same') return sameLeaf(backup, live);
  return {
    action: 'keep',
    reason: relation === 'newer' ? 'the live certificate is valid' : 'the live certificate is newer',
  };
}

/** The same certificate without the annotations by which cert-manager knows its own would be ordered again. */
function sameLeaf(backup: LiveSecret, live: LiveSecret): Decision {
  const lost = Object.entries(backup.metadata.annotations ?? {}).filter(
    ([name, value]) => name.startsWith('cert-manager.io/') && live.metadata.annotations?.[name] !== value,
  );
  const identity = lost.filter(([name]) => /\/(?:issuer-(?:name|kind|group)|certificate-name)$/.test(name));
  return identity.length === 0
    ? { action: 'keep', reason: 'it is the same certificate' }
    : { action: 'replace', reason: 'it is the same certificate, and cert-manager’s annotations are missing' };
}

/** The leaf of a TLS Secret that serves its purpose, or what is wrong with it. */
function usable(secret: LiveSecret, { now, certManager }: DecideContext): CertificateFacts | string {
  const problem = keysMatch(
    secretBytes(secret, 'tls.key'),
    secretBytes(secret, 'tls.crt'),
    certManagerVersion(certManager),
  );
  const leaf = leafOf(secret, certManager);
  if (problem !== undefined || leaf === undefined) return 'no valid pair of key and certificate';
  if (isTemporary(leaf)) return 'only cert-manager’s placeholder';
  return leaf.notAfter <= now ? `expired since ${leaf.notAfter.toISOString()}` : leaf;
}
