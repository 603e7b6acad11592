import type { CertManagerVersion } from '../../../shared/certificates/version.js';
import type { Question } from './case.js';
import { foundSince, type Judge } from './contest.js';
import { ours, version } from './judge.js';

/** Faults that are planted in our side. Each must be found, or equality says nothing. */
export const plants: Readonly<Record<string, Judge<Question>>> = {
  'rules of another version': (question, own) => ours(question, otherThan(own)),
  'due a second late': (question, own) =>
    ours({ ...question, now: new Date(Date.parse(question.now) - 1000).toISOString() }, own),
  'case of names does not count': (question, own) => ours(withSpec(question, lowered), own),
  'current request is not looked at': (question, own) => ours({ ...question, current: null }, own),
  'another issuer is none': (question, own) => ours(withoutAnnotations(question, /issuer-/), own),
  'another name is none': (question, own) => ours(withoutAnnotations(question, /certificate-name/), own),
  'size of the key does not count': (question, own) => ours(withSpec(question, withoutSize), own),
  'a missing key is a wrong one': (question, own) => {
    const found = ours(question, own);
    return found.verdict === '2' ? { ...found, verdict: '3', reason: 'InvalidKeyPair' } : found;
  },
  'byte order mark is passed over': (question, own) =>
    ours(
      withPems(question, (text) => text.replace(/^\ufeff/, '')),
      own,
    ),
  'renewal windows do not count': (question, own) => ours(withSpec(question, withoutWindows), own),
};

/** The faults that can be found in a version. */
export const plantsFor = foundSince(plants, { 'renewal windows do not count': [1, 21] });

function otherThan(own: CertManagerVersion): CertManagerVersion {
  return version(own.atLeast(1, 19) ? 'v1.16.2' : 'v1.21.2');
}

type Spec = Question['certificate']['spec'];

function withSpec(question: Question, change: (spec: Spec) => Spec): Question {
  const { certificate } = question;
  return { ...question, certificate: { ...certificate, spec: change(certificate.spec) } };
}

function lowered(spec: Spec): Spec {
  return spec.dnsNames === undefined ? spec : { ...spec, dnsNames: spec.dnsNames.map((name) => name.toLowerCase()) };
}

function withoutSize({ privateKey, ...spec }: Spec): Spec {
  const { size: _, ...others } = privateKey ?? {};
  return { ...spec, privateKey: others };
}

function withoutWindows({ renewal, ...spec }: Spec): Spec {
  return renewal === undefined || renewal.policy === undefined
    ? { ...spec }
    : { ...spec, renewal: { policy: renewal.policy } };
}

function withoutAnnotations(question: Question, pattern: RegExp): Question {
  const { secret, certificate } = question;
  if (secret === null) return question;
  const { issuerRef } = certificate.spec;
  const kept = Object.entries(secret.metadata.annotations ?? {}).filter(([name]) => !pattern.test(name));
  const own = {
    'cert-manager.io/issuer-name': issuerRef.name,
    'cert-manager.io/issuer-kind': issuerRef.kind ?? '',
    'cert-manager.io/issuer-group': issuerRef.group ?? '',
  };
  const annotations = { ...Object.fromEntries(kept), ...(pattern.test('issuer-') ? own : {}) };
  return { ...question, secret: { ...secret, metadata: { ...secret.metadata, annotations } } };
}

function withPems(question: Question, change: (text: string) => string): Question {
  const { secret } = question;
  if (secret?.data === undefined) return question;
  const data = Object.fromEntries(
    Object.entries(secret.data).map(([name, value]) => [
      name,
      Buffer.from(change(Buffer.from(value, 'base64').toString())).toString('base64'),
    ]),
  );
  return { ...question, secret: { ...secret, data } };
}
