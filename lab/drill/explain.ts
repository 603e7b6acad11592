import type { CertificateRecord } from '../../shared/backup/snapshot.js';
import type { CertificateFacts } from '../../shared/certificates/x509.js';
import type { Outcome } from './outcome.js';
import type { Restored } from './restore.js';
import type { Words } from './sightings.js';

/** What is known of a Certificate that a recovery would not bring back as it was. */
export interface Trouble {
  record: CertificateRecord;
  /** Of the backup; undefined when it holds none that can be read. */
  leaf: CertificateFacts | undefined;
  outcome: Outcome;
  /** cert-manager's. */
  words: Words;
  /** `namespace/name` */
  secretKey: string;
  /** What the restore did with its Secret; undefined when the backup has no such Secret. */
  line: Restored['objects'][number] | undefined;
}

export interface Explanation {
  explanation: string;
  next: string;
}

/** Says in plain words what is wrong, and what to do about it in the cluster that was backed up. Pure. */
export function explain(trouble: Trouble): Explanation {
  const { outcome, line } = trouble;
  if (outcome === 'kept') return { explanation: '', next: '' };
  const { explanation, next } = because(trouble);
  return line?.action === 'refuse'
    ? { explanation: `${explanation}. A restore refuses the whole backup for it: ${line.reason}`, next }
    : { explanation, next };
}

function because(trouble: Trouble): Explanation {
  const { outcome, words, secretKey, record } = trouble;
  if (outcome === 'not-owner') {
    return {
      explanation: `another Certificate owns Secret ${secretKey}, and this one gets none: nothing is ordered for it`,
      next: 'delete the Certificate that is not needed',
    };
  }
  if (outcome === 'not-ready') {
    return {
      explanation: 'cert-manager issues nothing for it, and does not find it in order either',
      next: `see \`kubectl describe certificate -n ${record.metadata.namespace} ${record.metadata.name}\` in the cluster, and fix what it says`,
    };
  }
  return reasons[words.reason]?.(trouble) ?? unforeseen(trouble);
}

/** By cert-manager's reason to issue: internal/controller/certificates/policies/constants.go. */
const reasons: Record<string, (trouble: Trouble) => Explanation> = {
  DoesNotExist: ({ secretKey, line }) =>
    line === undefined
      ? {
          explanation: `the backup holds no Secret ${secretKey}`,
          next: 'find out why with a dry run of `operation: backup` of action-backup: it refuses what is missing, unless it was allowed',
        }
      : {
          explanation: `the restore did not write Secret ${secretKey} (${line.action}): ${line.reason}`,
          next: 'fix that in the cluster',
        },
  MissingData: ({ secretKey }) => ({
    explanation: `the backup’s Secret ${secretKey} lacks the private key or the certificate`,
    next: 'put the missing part into the Secret in the cluster, or delete the Secret to have it issued',
  }),
  InvalidKeyPair: pairBroken,
  InvalidCertificate: pairBroken,
  IncorrectIssuer: ({ secretKey, record }) => ({
    explanation: `the annotations of Secret ${secretKey} name another issuer than ${issuerOf(record)}, which the Certificate asks for`,
    next: 'see who changed the annotations of the Secret or the Certificate’s issuerRef, and make them agree, or let cert-manager issue it once',
  }),
  IncorrectCertificate: ({ secretKey, record }) => ({
    explanation: `Secret ${secretKey} was issued for another Certificate than ${record.metadata.name}`,
    next: 'give each Certificate a Secret of its own, or delete the one that is not needed',
  }),
  SecretMismatch: ({ secretKey, record, leaf, words }) => {
    const key = words.message.includes('spec.privateKey');
    const { algorithm = 'RSA', size } = record.spec.privateKey ?? {};
    return {
      explanation: key
        ? `the private key in Secret ${secretKey} is not what the Certificate asks for (${algorithm}${size === undefined ? '' : ` ${size}`})`
        : `the certificate in Secret ${secretKey} ${nameDifference(record, leaf)}`,
      next: 'the Certificate was changed and not issued again since: take the change back, or let cert-manager issue it while the budget allows',
    };
  },
  Renewing: ({ leaf, secretKey }) => ({
    explanation: `the certificate in Secret ${secretKey} is due for renewal, and ends ${leaf?.notAfter.toISOString() ?? 'at an unknown time'}`,
    next: 'in the cluster cert-manager should have renewed it before the backup was made: see why it did not with `operation: check` of action-setup',
  }),
};

/** What a certificate has too little and too much of, next to what its Certificate asks for. */
function nameDifference({ spec }: CertificateRecord, leaf: CertificateFacts | undefined): string {
  const asked = new Set([...(spec.dnsNames ?? []), spec.commonName ?? '']);
  const found = new Set([...(leaf?.names.dns ?? []), leaf?.commonName ?? '']);
  const only = (names: Set<string>, others: Set<string>): string =>
    [...names]
      .filter((name) => name !== '' && !others.has(name))
      .sort()
      .join(', ');
  const [lacking, extra] = [only(asked, found), only(found, asked)];
  const parts = [
    ...(lacking === '' ? [] : [`lacks ${lacking}, which its Certificate asks for`]),
    ...(extra === '' ? [] : [`is for ${extra}, which its Certificate does not ask for`]),
  ];
  return parts.join(', and ') || 'does not have the addresses that its Certificate asks for';
}

function pairBroken({ secretKey }: Trouble): Explanation {
  return {
    explanation: `key and certificate in the backup’s Secret ${secretKey} do not belong together, or cannot be read`,
    next: 'put the right pair into the Secret in the cluster, or delete the Secret to have it issued',
  };
}

function unforeseen({ secretKey }: Trouble): Explanation {
  return {
    explanation: `the certificate in Secret ${secretKey} did not stay what it was in the backup`,
    next: 'report this with the drill’s result: the drill knows no such reason',
  };
}

function issuerOf({ spec }: CertificateRecord): string {
  return `${spec.issuerRef.kind || 'Issuer'} ${spec.issuerRef.name}`;
}
