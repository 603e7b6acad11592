import type { CertificateRecord, Snapshot } from '../../shared/backup/snapshot.js';
import { type CertificateFacts, identifiersOf, verifySignedBy } from '../../shared/certificates/x509.js';
import { keyOf } from '../../shared/cluster/objects.js';
import { hasRole } from '../../shared/facts/roles.js';
import { asSecret, type LiveSecret, leafOf } from '../../shared/facts/secrets.js';
import { explain } from './explain.js';
import { type IssuerPlan, planFor } from './issuers.js';
import type { Outcome } from './outcome.js';
import type { ForecastLine, Restored } from './restore.js';
import type { Sighting, Words } from './sightings.js';

export interface DrilledCertificate {
  namespace: string;
  name: string;
  names: string[];
  issuer: string;
  acme: boolean;
  /** In hex, of the backup's certificate and of the one that was there in the end. */
  serial: string | undefined;
  serialAfter: string | undefined;
  notAfter: Date | undefined;
  outcome: Outcome;
  /** cert-manager's own; empty for a certificate that is kept. */
  reason: string;
  message: string;
  /** In plain words: what is wrong with the backup, and what to do. Empty for a certificate that is kept. */
  explanation: string;
  next: string;
  forecast: { verdict: ForecastLine['verdict']; reason: string } | undefined;
  /** Whether it had to be issued in any case: it was due for renewal, or was so when the backup was made. */
  isExcused: boolean;
  /** How the forecast of the restore differs from what happened; empty when it does not. */
  disagreement: string;
  /** What does not change the verdict, and is worth knowing. */
  notes: string[];
}

export interface Evidence {
  snapshot: Snapshot;
  restored: Pick<Restored, 'forecast' | 'objects' | 'isRefused'>;
  sightings: ReadonlyMap<string, Sighting>;
  issuers: readonly IssuerPlan[];
  /** The Secrets as they are at the end, by `namespace/name`. */
  secrets: ReadonlyMap<string, LiveSecret>;
  /** cert-manager's version in the lab. */
  version: string;
  /** When the backup was made, RFC 3339. */
  madeAt: string;
}

/** Judges what was seen of each Certificate. Pure. */
export function judge(evidence: Evidence): DrilledCertificate[] {
  return evidence.snapshot.certificates
    .map((record) => judgeOne(record, evidence))
    .sort((a, b) => keyOf(a).localeCompare(keyOf(b)));
}

function judgeOne(record: CertificateRecord, evidence: Evidence): DrilledCertificate {
  const { metadata, spec, acme } = record;
  const { snapshot, restored, version } = evidence;
  const secretKey = keyOf({ namespace: metadata.namespace, name: spec.secretName });
  const item = snapshot.objects.find((one) => hasRole(one, 'tls') && keyOf(one.object.metadata) === secretKey);
  const leaf = item && leafOf(asSecret(item.object), version);
  const after = leafOf(evidence.secrets.get(secretKey), version);
  const sighting = evidence.sightings.get(keyOf(metadata));
  const forecast = restored.forecast.find((one) => keyOf(one) === keyOf(metadata));
  const outcome = outcomeOf(sighting, acme, leaf?.serial !== after?.serial, forecast);
  const words = wordsFor(outcome, sighting);
  const excuse = excuseOf(forecast, evidence);
  const line = restored.objects.find(({ subject }) => subject === `Secret ${secretKey}`);
  return {
    namespace: metadata.namespace,
    name: metadata.name,
    names: leaf ? identifiersOf(leaf) : [...(spec.dnsNames ?? [])].sort(),
    issuer: spec.issuerRef.name,
    acme,
    serial: leaf?.serial,
    serialAfter: after?.serial,
    notAfter: leaf?.notAfter,
    outcome,
    ...words,
    ...explain({ record, leaf, outcome, words, secretKey, line }),
    forecast: forecast && { verdict: forecast.verdict, reason: forecast.reason },
    isExcused: excuse !== '',
    disagreement: disagreementOf(outcome, words, forecast, restored.isRefused),
    notes: [...(excuse === '' ? [] : [excuse]), ...notesOf(record, leaf, evidence)],
  };
}

function outcomeOf(
  sighting: Sighting | undefined,
  acme: boolean,
  isChanged: boolean,
  forecast: ForecastLine | undefined,
): Outcome {
  if (sighting?.issuing !== undefined || isChanged) return acme ? 'ordered' : 'reissued';
  if (sighting?.ready?.status === 'True') return 'kept';
  const isForeign = forecast?.verdict === 'not-owner' || sighting?.ready?.reason === 'IncorrectCertificate';
  return isForeign ? 'not-owner' : 'not-ready';
}

function wordsFor(outcome: Outcome, sighting: Sighting | undefined): Words {
  if (outcome === 'kept') return { reason: '', message: '' };
  const { reason, message } = sighting?.issuing ?? sighting?.ready ?? { reason: '', message: '' };
  return { reason, message };
}

/** A restore that refuses writes nothing, and its forecast is for that; the lab then holds what it would not write. */
function disagreementOf(
  outcome: Outcome,
  words: Words,
  forecast: ForecastLine | undefined,
  isRefused: boolean,
): string {
  if (forecast === undefined) return 'the restore made no forecast for it';
  if (isRefused) return '';
  const isIssued = outcome === 'ordered' || outcome === 'reissued';
  if (isIssued !== (forecast.verdict === 'order')) {
    return `the forecast was "${forecast.verdict}" (${forecast.reason}), and it was ${isIssued ? 'issued' : 'not issued'}`;
  }
  return isIssued && words.reason !== forecast.reason
    ? `the forecast gave the reason ${forecast.reason}, and cert-manager ${words.reason}`
    : '';
}

/**
 * Why an issuance says nothing against the backup; empty where it does. A certificate that was due when the backup was made
 * should have been renewed by then: that is worth finding out.
 */
function excuseOf(forecast: ForecastLine | undefined, { madeAt }: Evidence): string {
  if (forecast?.excused === 'before') return 'it had to be issued when the backup was made, and does not count';
  const isDueSince = forecast?.due !== undefined && Date.parse(forecast.due) > Date.parse(madeAt);
  return forecast?.excused === 'renewal' && isDueSince
    ? 'it has become due for renewal since the backup was made, and does not count'
    : '';
}

/** cert-manager never asks whether the CA's present key signed a certificate; whoever connects does. */
function notesOf(
  record: CertificateRecord,
  leaf: CertificateFacts | undefined,
  { issuers, snapshot, version }: Evidence,
): string[] {
  const issuer = planFor(issuers, record);
  const key = snapshot.objects.find(
    (one) => hasRole(one, 'ca-key') && issuer?.stand === 'ca' && one.object.metadata.name === issuer.secret,
  );
  const ca = key && leafOf(asSecret(key.object), version);
  return ca !== undefined && leaf !== undefined && !verifySignedBy(leaf, ca)
    ? [`it was not signed by the CA that the backup holds (${ca.commonName}): who trusts that CA refuses it`]
    : [];
}
