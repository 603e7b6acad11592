/** Cases that the unit test has no use for: deadlines with a margin, and several faults at once, where the first must win. */
import type { ForecastInput } from '../../shared/certificates/forecast.js';
import {
  annotation,
  type Certificate,
  type CertificateSpec,
  type CertificateStatus,
} from '../../shared/certificates/model.js';
import {
  type Base,
  baseAt,
  type ForecastCase,
  revisionRequest,
  tlsSecret,
} from '../../shared/certificates/testing/cases.js';
import { certificatePem, keyPem, requestPem } from '../../shared/certificates/testing/fixtures.js';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

interface Changes {
  spec?: Partial<CertificateSpec>;
  status?: CertificateStatus;
  annotations?: Readonly<Record<string, string>>;
}

/** All cases of this proof's own, with the verdict that is expected of cert-manager. */
export function moreCases(now: Date, keys: Base): ForecastCase[] {
  const aged = (age: number): Base => baseAt(new Date(now.getTime() - age), keys);
  return [...deadlines(now, aged), ...windows(now, aged(60 * day + hour)), ...failures(now, aged), ...faults(aged)];
}

const renewing = { verdict: 'order', check: 9, reason: 'Renewing' } as const;
const keeps = (name: string, input: ForecastInput): ForecastCase => ({ name, input, verdict: 'keep' });
const renews = (name: string, input: ForecastInput): ForecastCase => ({ name, input, ...renewing });
const orders = (
  name: string,
  check: NonNullable<ForecastCase['check']>,
  reason: string,
  input: ForecastInput,
): ForecastCase => ({ name, input, verdict: 'order', check, reason });

function deadlines(now: Date, aged: (age: number) => Base): ForecastCase[] {
  const ten = aged(10 * day);
  const tenth = { renewBeforePercentage: 10 };
  const said = (offset: number) => ({ status: { renewalTime: new Date(now.getTime() + offset).toISOString() } });
  return [
    keeps('due in an hour', changed(aged(60 * day - hour))),
    renews('due a second ago', changed(aged(60 * day + 1000))),
    keeps('renewBefore, due in an hour', changed(ten, { spec: { renewBefore: '1919h' } })),
    renews('renewBefore, due an hour ago', changed(ten, { spec: { renewBefore: '1921h' } })),
    keeps('percentage, due in an hour', changed(aged(81 * day - hour), { spec: tenth })),
    renews('percentage, due a second ago', changed(aged(81 * day + 1000), { spec: tenth })),
    keeps('renewalTime in the status, although it is long past, does not count', changed(ten, said(-day))),
    renews('renewalTime in the status, although it is far ahead, does not count', changed(aged(61 * day), said(day))),
    renews('expired yesterday', changed(aged(91 * day))),
  ];
}

/** @param base a certificate that was due an hour ago */
function windows(now: Date, base: Base): ForecastCase[] {
  const at = (offset: number) => new Date(now.getTime() + offset);
  const within = (cron: string, timezone?: string): ForecastInput => {
    const window = { cron, windowDuration: '1h', ...(timezone === undefined ? {} : { timezone }) };
    return changed(base, { spec: { renewal: { policy: 'RenewBefore', windows: [window] } } });
  };
  const newYork = 'America/New_York';
  const yesterday = at(-day);
  const expiry = `0 0 ${yesterday.getUTCDate()} ${yesterday.getUTCMonth() + 1} *`;
  return [
    keeps('window opens in two hours', within(daily(at(2 * hour)))),
    renews('window opened half an hour ago', within(daily(at(-hour / 2)))),
    keeps('window was over before it was due', within(daily(at(-3 * hour)))),
    keeps('window in New York opens in two hours', within(daily(at(2 * hour), newYork), newYork)),
    renews('window in New York opened half an hour ago', within(daily(at(-hour / 2), newYork), newYork)),
    renews('window comes after the expiry only', within(expiry)),
  ];
}

/** A cron line for the minute of a moment, every day. */
function daily(moment: Date, timeZone = 'UTC'): string {
  const text = moment.toLocaleTimeString('en-GB', { timeZone, hour: 'numeric', minute: 'numeric' });
  const [hours, minutes] = text.split(':').map(Number);
  return `${minutes} ${hours} * * *`;
}

function failures(now: Date, aged: (age: number) => Base): ForecastCase[] {
  const base = aged(10 * day);
  const ago = (time: number, attempts: number): CertificateStatus => ({
    lastFailureTime: new Date(now.getTime() - time).toISOString(),
    failedIssuanceAttempts: attempts,
  });
  const wiped = (status: CertificateStatus): ForecastInput => ({ ...changed(base, { status }), secret: undefined });
  const missing = { check: 1, reason: 'DoesNotExist' } as const;
  const held = { verdict: 'blocked', ...missing } as const;
  const freed = { verdict: 'order', ...missing } as const;
  const wrongIssuer = { issuerRef: { name: 'other', kind: 'ClusterIssuer' } };
  return [
    { name: 'failed once, 40 minutes ago', input: wiped(ago(40 * minute, 1)), ...held },
    { name: 'failed once, 61 minutes ago', input: wiped(ago(61 * minute, 1)), ...freed },
    { name: 'failed twice, 100 minutes ago', input: wiped(ago(100 * minute, 2)), ...held },
    { name: 'failed three times, three hours ago', input: wiped(ago(3 * hour, 3)), ...held },
    { name: 'failed three times, four hours ago', input: wiped(ago(4 * hour, 3)), ...freed },
    { name: 'failed six times, 31 hours ago', input: wiped(ago(31 * hour, 6)), ...held },
    { name: 'failed 99 times, 31 hours ago', input: wiped(ago(31 * hour, 99)), ...held },
    {
      name: 'failed just now, other issuer',
      input: changed(base, { spec: wrongIssuer, status: ago(0, 1) }),
      verdict: 'blocked',
      check: 4,
      reason: 'IncorrectIssuer',
    },
    {
      name: 'failed just now, due',
      input: changed(aged(61 * day), { status: ago(0, 1) }),
      ...renewing,
      verdict: 'blocked',
    },
  ];
}

/** One fault more from case to case: each is hidden by the one before it in cert-manager's order. */
function faults(aged: (age: number) => Base): ForecastCase[] {
  const base = aged(61 * day);
  const names = { dnsNames: ['registry.example.org', 'new.example.org'] };
  const key = { ...names, privateKey: { size: 4096 } };
  const issuer = { ...key, issuerRef: { name: 'other', kind: 'ClusterIssuer' } };
  const renamed = { [annotation.certificateName]: 'old-name' };
  const request = (changes: { key?: Base['key']; usages?: string[] }) => {
    const csr = requestPem({ key: changes.key ?? base.key, dns: base.input.certificate.spec.dnsNames ?? [] });
    return { requests: [revisionRequest(csr, changes.usages === undefined ? {} : { usages: changes.usages })] };
  };
  const issued = { revision: 1 };
  const shim: Certificate = {
    metadata: { name: 'registry-tls', namespace: 'registry', uid: 'shim', creationTimestamp: '2026-06-09T00:00:00Z' },
    spec: base.input.certificate.spec,
  };
  const fresh = changed(aged(10 * day));
  const wrongKey = tlsSecret(keyPem(base.otherKey), certificatePem(base.leaf));
  const none = { ...changed(base, { spec: issuer }), secret: undefined };
  const named = { spec: key, annotations: renamed };
  return [
    renews('due', changed(base)),
    orders('due, names differ', 8, 'SecretMismatch', changed(base, { spec: names })),
    orders('due, usages of the request differ', 8, 'RequestChanged', {
      ...changed(base, { status: issued }),
      ...request({ usages: ['any'] }),
    }),
    orders('due, usages and key of the request differ', 7, 'SecretMismatch', {
      ...changed(base, { status: issued }),
      ...request({ key: base.otherKey, usages: ['any'] }),
    }),
    orders('due, names, key size and request differ', 6, 'SecretMismatch', {
      ...changed(base, { spec: key, status: issued }),
      ...request({ key: base.otherKey }),
    }),
    orders('due, names, key size and certificate name differ', 5, 'IncorrectCertificate', changed(base, named)),
    orders(
      'due, names, key size, certificate name and issuer differ',
      4,
      'IncorrectIssuer',
      changed(base, { ...named, spec: issuer }),
    ),
    orders('all of these, and another key', 3, 'InvalidKeyPair', { ...none, secret: wrongKey }),
    orders('all of these, and no Secret', 1, 'DoesNotExist', none),
    keeps('a stale shim Certificate next to the one that the annotation names', {
      ...fresh,
      siblings: [fresh.certificate, shim],
    }),
    renews('due, and a stale shim Certificate next to it', {
      ...changed(base),
      siblings: [base.input.certificate, shim],
    }),
  ];
}

function changed(base: Base, { spec = {}, status, annotations = {} }: Changes = {}): ForecastInput {
  const { certificate: before, secret } = base.input;
  const certificate = { ...before, spec: { ...before.spec, ...spec }, ...(status === undefined ? {} : { status }) };
  const found = secret && {
    ...secret,
    metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, ...annotations } },
  };
  return { ...base.input, certificate, siblings: [certificate], secret: found };
}
