import type { DistinguishedName } from '../../../../shared/certificates/names.js';
import { decodePrivateKey } from '../../../../shared/certificates/private-key.js';
import type { PublicKey } from '../../../../shared/certificates/public-key.js';
import type { AlternativeNames } from '../../../../shared/certificates/sans.js';
import type { CertManagerVersion } from '../../../../shared/certificates/version.js';
import { type CertificateFacts, decodeCertificates, decodeRequest } from '../../../../shared/certificates/x509.js';
import { messageOf } from '../../../../shared/errors.js';
import type { Judge, Judgement } from '../contest.js';
import type { DecodingQuestion } from './case.js';

/** What one certificate, request or key says; the fields are those of lab/policies/decode.go, of which those of no value are left out. */
export interface Content {
  readonly key: string;
  readonly serial?: string;
  readonly subject?: readonly string[];
  readonly issuer?: readonly string[];
  readonly notBefore?: string;
  readonly notAfter?: string;
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
  readonly uri?: readonly string[];
  readonly email?: readonly string[];
  readonly isCa?: boolean;
  readonly usages?: readonly string[];
  readonly authorityKeyId?: string;
  readonly subjectKeyId?: string;
}

/** What cert-manager's own decoder read. */
export interface DecodingAnswer {
  readonly refused?: string;
  readonly panicked?: string;
  readonly contents?: readonly Content[];
}

/** Ours. The verdict is the kind of text that was read, or that it was refused; what is compared besides is what was read. */
export const ours: Judge<DecodingQuestion> = (question, version) => {
  try {
    return judgementOf(question, contentsOf(question, version));
  } catch (error) {
    return { verdict: 'threw', reason: question.kind, message: (error as Error).stack ?? messageOf(error), more: '' };
  }
};

/** cert-manager's side. */
export function theirs({ panicked, refused, contents = [] }: DecodingAnswer, question: DecodingQuestion): Judgement {
  if (panicked !== undefined) return { verdict: 'crash', reason: question.kind, message: panicked, more: '' };
  return judgementOf(question, refused === undefined ? { contents } : { refused });
}

type Read = { readonly refused: string } | { readonly contents: readonly Content[] };

function judgementOf({ kind }: DecodingQuestion, read: Read): Judgement {
  if ('refused' in read) return { verdict: 'refused', reason: kind, message: read.refused, more: '' };
  return { verdict: 'read', reason: kind, message: '', more: JSON.stringify(read.contents.map(plain)) };
}

function contentsOf({ kind, text }: DecodingQuestion, version: CertManagerVersion): Read {
  const bytes = Buffer.from(text, 'base64');
  if (kind === 'certificates') {
    const found = decodeCertificates(bytes, version);
    return found.ok ? { contents: found.value.map(ofCertificate) } : { refused: found.error };
  }
  if (kind === 'request') {
    const found = decodeRequest(bytes, version);
    if (!found.ok) return { refused: found.error };
    const { publicKey, subject, names } = found.value;
    return { contents: [{ key: keyText(publicKey), subject: nameTexts(subject), ...namesOf(names) }] };
  }
  const found = decodePrivateKey(bytes, version);
  return found.ok ? { contents: [{ key: keyText(found.value.publicKey) }] } : { refused: found.error };
}

function ofCertificate(facts: CertificateFacts): Content {
  return {
    key: keyText(facts.publicKey),
    serial: facts.serial,
    subject: nameTexts(facts.subject),
    issuer: nameTexts(facts.issuer),
    notBefore: facts.notBefore.toISOString(),
    notAfter: facts.notAfter.toISOString(),
    ...namesOf(facts.names),
    isCa: facts.isCa,
    usages: facts.usages,
    authorityKeyId: facts.authorityKeyId ?? '',
    subjectKeyId: facts.subjectKeyId ?? '',
  };
}

function namesOf({ dns, ip, uri, email }: AlternativeNames): Pick<Content, 'dns' | 'ip' | 'uri' | 'email'> {
  return { dns, ip, uri, email };
}

function keyText(key: PublicKey): string {
  return key.algorithm === 'other' ? key.goType : `${key.algorithm} ${key.bits} ${key.material}`;
}

function nameTexts(name: DistinguishedName): string[] {
  return name.groups.flat().map(({ oid, value }) => `${oid}=${value}`);
}

/** In one order, without what says nothing, and times as one text for one moment. */
function plain(content: Content): object {
  const fields = Object.entries(content).filter(([, value]) => value !== '' && value !== false && value?.length !== 0);
  const spelled = fields.map(([name, value]) => {
    if (name.startsWith('not')) return [name, new Date(String(value)).toISOString()] as const;
    // Go reads usages into bits, which have another order than the certificate.
    return [name, name === 'usages' && Array.isArray(value) ? [...value].sort() : value] as const;
  });
  return Object.fromEntries(spelled.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What differs: of the first text that does the first field. */
export function difference(own: Judgement, real: Judgement): string | undefined {
  if (own.verdict !== real.verdict) return 'verdict';
  if (own.more === real.more) return undefined;
  const [mine, others] = [parsed(own), parsed(real)];
  const fields = mine.flatMap((one, at) =>
    Object.keys({ ...one, ...others[at] }).filter(
      (name) => JSON.stringify(one[name]) !== JSON.stringify(others[at]?.[name]),
    ),
  );
  return fields[0] ?? 'how many there are';
}

function parsed({ more }: Judgement): Record<string, unknown>[] {
  return JSON.parse(more) as Record<string, unknown>[];
}
