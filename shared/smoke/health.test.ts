import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import type { ServedCertificate } from '../platform/served-certificate.js';
import { healthChecks, requireCertificate } from './health.js';

const day = 24 * 3600_000;
const now = new Date('2026-06-01T00:00:00Z');
const inDays = (days: number): Date => new Date(now.getTime() + days * day);
const good: ServedCertificate = {
  serial: 'abc1',
  subject: 'CN=mcp.example.com',
  issuer: 'CN=R11',
  notBefore: inDays(-30),
  notAfter: inDays(60),
  names: 'DNS:mcp.example.com',
  problem: '',
};

function refusal(
  certificate: Partial<ServedCertificate>,
  expected?: readonly string[],
  minDays: number | 'auto' = 14,
): McprtError | undefined {
  try {
    requireCertificate('mcp.example.com', { ...good, ...certificate }, { minDays, now }, expected);
  } catch (error) {
    if (error instanceof McprtError) return error;
    throw error;
  }
  return undefined;
}
const codeOf = (...of: Parameters<typeof refusal>): string => {
  return refusal(...of)?.code ?? '';
};

describe('a certificate that a public name serves', () => {
  it('will do when it is accepted, has time left and is the cluster’s', () => {
    expect(codeOf({})).toBe('');
    expect(codeOf({}, ['abc1'])).toBe('');
    expect(codeOf({}, ['old', 'abc1'])).toBe('');
  });

  it('is refused as that of another cluster by its serial', () => {
    expect(codeOf({}, ['abc2'])).toBe('smoke-other-cluster');
    expect(codeOf({}, [])).toBe('smoke-other-cluster');
  });

  it('needs as many whole days as are wanted', () => {
    expect(codeOf({ notAfter: inDays(14) })).toBe('');
    expect(codeOf({ notAfter: new Date(inDays(14).getTime() - 1) })).toBe('smoke-tls-days');
    expect(codeOf({ notAfter: inDays(0.5) }, undefined, 0)).toBe('');
  });

  it.each([
    ['90 days', 90, 14, 13.9],
    ['45 days', 45, 7.5, 7.4],
    ['6 days', 6, 1, 0.9],
    ['a year', 365, 14, 13.9],
  ])('that lives for %s needs a sixth of that by itself, and 14 days at most', (_, life, enough, short) => {
    const leaving = (days: number) => ({ notBefore: inDays(days - life), notAfter: inDays(days) });
    expect(codeOf(leaving(enough), undefined, 'auto')).toBe('');
    expect(codeOf(leaving(short), undefined, 'auto')).toBe('smoke-tls-days');
  });

  it('says how many days are left, and tenths of few', () => {
    expect(refusal({ notBefore: inDays(-5), notAfter: inDays(0.96) }, undefined, 'auto')?.message).toContain(
      'has 0.9 days left, and 1 are wanted',
    );
    expect(refusal({ notAfter: inDays(13.5) })?.message).toContain('has 13 days left, and 14 are wanted');
  });

  it('has ended at its last moment', () => {
    expect(codeOf({ notAfter: now }, undefined, 0)).toBe('smoke-tls-expired');
    expect(codeOf({ notAfter: new Date(now.getTime() + 1) }, undefined, 0)).toBe('');
  });

  it('is not said to have ended when another one of its chain has', () => {
    const error = refusal({ problem: 'CERT_HAS_EXPIRED' });
    expect(error?.code).toBe('smoke-tls-chain');
    expect(error?.message).toContain('between');
  });

  it('may not begin later than now', () => {
    expect(codeOf({ notBefore: new Date(now.getTime() + 1), problem: 'CERT_NOT_YET_VALID' })).toBe('smoke-tls-early');
    expect(codeOf({ notBefore: now })).toBe('');
  });

  it.each([
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'smoke-tls-name'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'smoke-tls-chain'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'smoke-tls-chain'],
  ])('that is not accepted with %s is a %s', (problem, wanted) => {
    const error = refusal({ problem, notAfter: inDays(1) }, ['abc2']);
    expect(error).toMatchObject({ code: wanted, why: expect.stringContaining(`${problem}: subject CN=mcp`) });
  });

  it('is Traefik’s own before it is anything else', () => {
    const traefik = {
      subject: 'CN=TRAEFIK DEFAULT CERT',
      problem: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      notAfter: inDays(-1),
    };
    expect(codeOf(traefik)).toBe('smoke-tls-default');
  });

  it('is told with all that was seen of it', () => {
    const error = refusal({ subject: '', names: '', notAfter: inDays(1) });
    expect(error).toMatchObject({ message: 'the certificate of mcp.example.com has 1 days left, and 14 are wanted' });
    expect(error?.why).toBe(
      'subject empty, issuer CN=R11, names none, valid from 2026-05-02T00:00:00.000Z to 2026-06-02T00:00:00.000Z',
    );
  });
});

describe('the checks of health', () => {
  it('are six for each of the three names', () => {
    const hosts = { platform: 'p.example.com', registry: 'r.example.com', mcp: 'm.example.com' };
    const names = healthChecks(hosts);
    expect(new Set(names).size).toBe(18);
    expect(names[0]).toBe('p.example.com: DNS');
  });
});
