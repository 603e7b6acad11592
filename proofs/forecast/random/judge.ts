import { secretBytes } from '../../../shared/certificates/model.js';
import { requestMismatches } from '../../../shared/certificates/requests.js';
import { triggerViolation } from '../../../shared/certificates/trigger-policies.js';
import { type CertManagerVersion, certManagerVersion } from '../../../shared/certificates/version.js';
import { decodeLeaf } from '../../../shared/certificates/x509.js';
import { messageOf } from '../../../shared/errors.js';
import type { Question } from './case.js';
import type { Judge, Judgement } from './contest.js';

/** What cert-manager's own chain says about one case; the fields are those of lab/policies/main.go. */
export interface PolicyAnswer {
  readonly violated: boolean;
  readonly reason?: string;
  readonly message?: string;
  readonly next?: readonly string[];
  readonly nextError?: string;
  readonly ready?: boolean;
  readonly panicked?: string;
  readonly unreadable?: string;
}

/**
 * The forecast's own chain. The verdict is `keep`, or the number of the check that fails. Compared besides is in what the request of
 * the next revision differs from the spec, which ends a back-off, and whether the Certificate is Ready.
 */
export const ours: Judge<Question> = (question, version) => {
  try {
    const found = triggerViolation({
      certificate: question.certificate,
      secret: question.secret ?? undefined,
      current: question.current ?? undefined,
      now: new Date(question.now),
      version,
      renewalInfo: question.renewalInfo,
    });
    if (found !== undefined && 'crash' in found) return { ...kept, verdict: 'crash', message: found.crash };
    const more = moreOf(nextOf(question, version), isReady(question, version, found?.check));
    return found === undefined
      ? { ...kept, more }
      : { verdict: String(found.check), reason: found.reason, message: found.message, more };
  } catch (error) {
    return { verdict: 'threw', reason: '', message: (error as Error).stack ?? messageOf(error), more: '' };
  }
};

const kept: Judgement = { verdict: 'keep', reason: '', message: '', more: '' };

function nextOf({ next, certificate }: Question, version: CertManagerVersion): string {
  if (next === null) return '';
  const found = requestMismatches(next, certificate.spec, version);
  return found.ok ? found.value.join() : 'unreadable';
}

/**
 * What a restore counts on when it waits for what is kept: cert-manager's readiness chain has the same checks, but that its ninth only
 * asks whether the certificate has expired.
 */
function isReady({ secret, now }: Question, version: CertManagerVersion, check: number | undefined): boolean {
  if (secret === null || (check !== undefined && check !== 9)) return false;
  const leaf = decodeLeaf(secretBytes(secret, 'tls.crt'), version);
  return leaf.ok && new Date(now) <= leaf.value.notAfter;
}

function moreOf(next: string, ready: boolean): string {
  return [...(next === '' ? [] : [next]), ...(ready ? ['ready'] : [])].join(' and ');
}

/** cert-manager's side. The trigger controller tells of a window that cannot be met in its own words. */
export function theirs(answer: PolicyAnswer, { certificate }: Question): Judgement {
  if (answer.unreadable !== undefined) return { ...kept, verdict: 'unreadable', message: answer.unreadable };
  if (answer.panicked !== undefined) return { ...kept, verdict: 'crash', message: answer.panicked };
  const next = answer.nextError === undefined ? (answer.next ?? []).join() : 'unreadable';
  const more = moreOf(next, answer.ready ?? false);
  if (!answer.violated) return { ...kept, more };
  const { reason = '', message = '' } = answer;
  if (reason !== 'WindowError') return { verdict: checkOf(reason, message), reason, message, more };
  const scheduled = certificate.status?.renewalTime;
  const at = scheduled === undefined ? '<nil>' : `${scheduled.slice(0, 19).replace('T', ' ')} +0000 UTC`;
  return {
    verdict: '9',
    reason: 'Renewing',
    message: `Renewing certificate without satisfying renewal windows at: ${at}`,
    more,
  };
}

/** The check behind a reason; SecretMismatch is three checks' reason, told by the message. */
function checkOf(reason: string, message: string): string {
  const byReason: Record<string, string> = {
    DoesNotExist: '1',
    MissingData: '2',
    InvalidKeyPair: '3',
    InvalidCertificate: '3',
    IncorrectIssuer: '4',
    IncorrectCertificate: '5',
    InvalidCertificateRequest: '7',
    RequestChanged: '8',
    Renewing: '9',
  };
  if (reason !== 'SecretMismatch') return byReason[reason] ?? reason;
  if (message.startsWith('Existing private key')) return '6';
  return message.startsWith('Secret contains a private key') ? '7' : '8';
}

/** In what two judgements differ; undefined where they do not. */
export function difference(own: Judgement, real: Judgement): string | undefined {
  if (own.verdict !== real.verdict) return 'verdict';
  if (own.reason !== real.reason) return 'reason';
  if (own.more !== real.more) return `next request or readiness, ${own.more} / ${real.more}`;
  return own.verdict !== 'crash' && claimed(own) !== claimed(real) ? 'message' : undefined;
}

/** What the forecast promises of a message: all of it, but for the words of a decoder, which change with Go. */
function claimed({ message }: Judgement): string {
  return message.replace(/((?:invalid private key data|invalid certificate|current CertificateRequest): ).*/s, '$1');
}

/** Reads a version that is known to be one. */
export const version = certManagerVersion;
