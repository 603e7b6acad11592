/** Annotations of an Ingress as fields of a Certificate (cert-manager pkg/controller/certificate-shim/helper.go translateAnnotations). */
import { withoutEnds } from '../text.js';
import { splitCsv } from './csv.js';
import { attempt, type Decoded, DecodeError } from './der.js';
import { durationNanoseconds } from './go-text.js';
import type { CertificateSpec, PrivateKeySpec, SubjectSpec } from './model.js';
import { readSecretTemplate } from './secret-template.js';
import type { CertManagerVersion } from './version.js';

type Annotations = Readonly<Record<string, string>>;
/** A spec while it is put together. */
type Draft = { -readonly [Field in keyof CertificateSpec]: CertificateSpec[Field] };

/** The spec with the Ingress's annotations applied. The error names the annotation, as the shim's log does. */
export function specFromAnnotations(
  base: CertificateSpec,
  annotations: Annotations,
  version: CertManagerVersion,
): Decoded<CertificateSpec> {
  return attempt(() => {
    const draft: Draft = { ...base };
    const read = (name: string) => annotations[`cert-manager.io/${name}`];
    const list = (name: string) => read(name)?.split(',') ?? [];

    const commonName = read('common-name');
    if (commonName !== undefined) draft.commonName = commonName;
    if (version.atLeast(1, 21)) {
      if (read('alt-names')) draft.dnsNames = [...(base.dnsNames ?? []), ...list('alt-names')];
      if (read('ip-sans')) draft.ipAddresses = [...(base.ipAddresses ?? []), ...list('ip-sans')];
    }
    if (read('email-sans') !== undefined) draft.emailAddresses = list('email-sans');

    const subject = subjectOf(read);
    if (Object.keys(subject).length > 0) draft.subject = subject;

    const duration = durationOf(read, 'duration');
    if (duration !== undefined) draft.duration = duration;
    const renewBefore = durationOf(read, 'renew-before');
    if (renewBefore !== undefined) draft.renewBefore = renewBefore;
    const percentage = integerOf(read, 'renew-before-percentage', 32);
    if (percentage !== undefined) draft.renewBeforePercentage = percentage;

    const usages = usagesOf(read);
    if (usages !== undefined) draft.usages = usages;
    const limit = integerOf(read, 'revision-history-limit', 32);
    if (limit !== undefined) {
      if (limit < 1)
        throw invalid('revision-history-limit', `revision history limit must be a positive number "${limit}"`);
      draft.revisionHistoryLimit = limit;
    }
    const privateKey = privateKeyOf(read);
    if (Object.keys(privateKey).length > 0) draft.privateKey = privateKey;
    const template = secretTemplateOf(read);
    if (template !== undefined) draft.secretTemplate = template;
    return draft;
  });
}

type Read = (name: string) => string | undefined;

function invalid(name: string, why: string): DecodeError {
  return new DecodeError(`invalid ingress annotation "cert-manager.io/${name}": ${why}`);
}

/** The annotation, its field, and the annotation that cert-manager names where this one cannot be used, if it is another. */
const subjectLists = [
  ['subject-organizations', 'organizations'],
  ['subject-organizationalunits', 'organizationalUnits', 'subject-organizations'],
  ['subject-countries', 'countries'],
  ['subject-provinces', 'provinces'],
  ['subject-localities', 'localities'],
  ['subject-postalcodes', 'postalCodes'],
  ['subject-streetaddresses', 'streetAddresses'],
] as const;

function subjectOf(read: Read): SubjectSpec {
  const subject: { -readonly [Field in keyof SubjectSpec]: SubjectSpec[Field] } = {};
  for (const [name, field, toldAs = name] of subjectLists) {
    const text = read(name);
    if (text === undefined) continue;
    const values = splitCsv(text);
    if (!values.ok) throw invalid(toldAs, values.error);
    subject[field] = values.value;
  }
  const serialNumber = read('subject-serialnumber');
  if (serialNumber) subject.serialNumber = serialNumber;
  return subject;
}

function durationOf(read: Read, name: string): string | undefined {
  const text = read(name);
  if (text !== undefined && durationNanoseconds(text) === undefined) {
    throw invalid(name, `time: invalid duration ${JSON.stringify(text)}`);
  }
  return text;
}

/** @param bits that the number may have, its sign included */
function integerOf(read: Read, name: string, bits: 32 | 64): number | undefined {
  const text = read(name);
  if (text === undefined) return undefined;
  const refuse = (why: string): DecodeError => invalid(name, `parsing ${JSON.stringify(text)}: ${why}`);
  if (!/^[+-]?\d+$/.test(text)) throw refuse('invalid syntax');
  const value = BigInt(text.replace('+', ''));
  if (BigInt.asIntN(bits, value) !== value) throw refuse('value out of range');
  return Number(value);
}

const knownUsages: ReadonlySet<string> = new Set([
  'signing',
  'digital signature',
  'content commitment',
  'key encipherment',
  'key agreement',
  'data encipherment',
  'cert sign',
  'crl sign',
  'encipher only',
  'decipher only',
  'any',
  'server auth',
  'client auth',
  'code signing',
  'email protection',
  's/mime',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'timestamping',
  'ocsp signing',
  'microsoft sgc',
  'netscape sgc',
]);

function usagesOf(read: Read): string[] | undefined {
  return read('usages')
    ?.split(',')
    .map((text) => {
      const usage = withoutEnds(text, ' ');
      if (!knownUsages.has(usage)) throw invalid('usages', `invalid key usage name ${JSON.stringify(text)}`);
      return usage;
    });
}

function privateKeyOf(read: Read): PrivateKeySpec {
  const algorithm = oneOf(read, 'private-key-algorithm', 'algorithm', ['RSA', 'ECDSA', 'Ed25519']);
  const encoding = oneOf(read, 'private-key-encoding', 'encoding', ['PKCS1', 'PKCS8']);
  const size = integerOf(read, 'private-key-size', 64);
  if (size !== undefined && !sizeFits(size, algorithm ?? 'RSA')) {
    throw invalid('private-key-size', `invalid private key size for ${algorithm ?? 'RSA'} algorithm "${size}"`);
  }
  const rotationPolicy = oneOf(read, 'private-key-rotation-policy', 'rotation policy', ['Never', 'Always']);
  return {
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(encoding === undefined ? {} : { encoding }),
    ...(size === undefined ? {} : { size }),
    ...(rotationPolicy === undefined ? {} : { rotationPolicy }),
  };
}

function oneOf<T extends string>(read: Read, name: string, what: string, allowed: readonly T[]): T | undefined {
  const text = read(name);
  if (text === undefined) return undefined;
  const found = allowed.find((value) => value === text);
  if (found === undefined) throw invalid(name, `invalid private key ${what} ${JSON.stringify(text)}`);
  return found;
}

function sizeFits(size: number, algorithm: PrivateKeySpec['algorithm']): boolean {
  if (algorithm === 'RSA') return size >= 2048 && size <= 8192;
  return algorithm === 'Ed25519' || [256, 384, 521].includes(size);
}

function secretTemplateOf(read: Read): CertificateSpec['secretTemplate'] {
  const text = read('secret-template');
  if (text === undefined) return undefined;
  const found = attempt(() => readSecretTemplate(text));
  if (!found.ok) throw invalid('secret-template', `error parsing secret template JSON: ${found.error}`);
  const template = found.value;
  const reserved = Object.keys(template.annotations ?? {}).find((name) => name.startsWith('cert-manager.io/'));
  if (reserved !== undefined) {
    throw invalid(
      'secret-template',
      `secretTemplate must not have cert-manager.io/ annotations: ${JSON.stringify(reserved)}`,
    );
  }
  const empty = Object.keys(template.annotations ?? {}).length + Object.keys(template.labels ?? {}).length === 0;
  return empty ? undefined : template;
}
