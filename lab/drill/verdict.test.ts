import { describe, expect, it } from '@jest/globals';
import type { DrilledCertificate } from './judge.js';
import { drillSummary, drillText } from './report.js';
import { type Drilled, isSameVersion, resultOf } from './verdict.js';

const now = new Date('2026-03-01T03:00:00Z');

function certificate(change: Partial<DrilledCertificate> = {}): DrilledCertificate {
  return {
    namespace: 'team',
    name: 'a',
    names: ['a.example.com'],
    issuer: 'letsencrypt-prod',
    acme: true,
    serial: 'a',
    serialAfter: 'a',
    notAfter: new Date('2026-05-01T00:00:00Z'),
    outcome: 'kept',
    reason: '',
    message: '',
    explanation: '',
    next: '',
    forecast: { verdict: 'keep', reason: 'up to date' },
    disagreement: '',
    isExcused: false,
    notes: [],
    ...change,
  };
}

const ordered = certificate({
  name: 'b',
  outcome: 'ordered',
  reason: 'IncorrectIssuer',
  message: 'previously issued by "Issuer|x"',
  explanation: 'another issuer',
  next: 'make them agree',
});

function drilled(change: Partial<Drilled> = {}, certManager = 'v1.21.2'): Drilled {
  return {
    backup: {
      name: 'mcprt-backup-example.com-g00000003-r7.1',
      context: {
        schema: 'mcprt.backup/1',
        repository: 'acme/platform',
        repositoryId: '42',
        workflow: 'backup.yml',
        runId: '7',
        runAttempt: '1',
        fingerprint: 'a-cluster',
        domain: 'example.com',
        layout: 'split',
        generation: 3,
        createdAt: '2026-03-01T00:30:00.000Z',
        expiresAt: '2026-05-01T00:00:00.000Z',
        previous: '',
        recipients: ['x'],
        inventory: { certificates: 1, secrets: 4, configMaps: 1, namespaces: 1 },
        certManager,
        tool: 'test',
      },
    },
    restored: { forecast: [], objects: [], isRefused: false, seconds: 1.04 },
    recovery: { issuers: [], seconds: { certManager: 2.26, certificates: 0.71 } },
    certificates: [certificate()],
    orders: 0,
    version: 'v1.21.2',
    now,
    notTaken: [],
    ...change,
  };
}

const codesOf = (change: Partial<Drilled>): string[] => resultOf(drilled(change)).findings.map(({ code }) => code);

describe('what comes in any case', () => {
  it('is told of the certificate, and is no finding', () => {
    const due = certificate({ outcome: 'ordered', reason: 'Renewing', isExcused: true });
    expect(resultOf(drilled({ certificates: [certificate(), due], orders: 1 })).findings).toEqual([]);
    expect(codesOf({ certificates: [certificate(), due], orders: 2 })).toEqual(['drill-orders']);
    expect(codesOf({ certificates: [{ ...due, isExcused: false }], orders: 1 })).toEqual(['drill-orders']);
  });
});

describe('resultOf', () => {
  it('is well when nothing is issued and everything is Ready', () => {
    const result = resultOf(drilled());
    expect(result).toMatchObject({
      ok: true,
      findings: [],
      age: 9000,
      orders: 0,
      counts: { certificates: 1, kept: 1, secrets: 4 },
      seconds: { restore: 1, certManager: 2.3, certificates: 0.7, total: 4 },
    });
    expect(drillSummary(result, now).text()).toContain('**0 orders.** All 1 certificate came back');
  });

  it.each([
    ['a certificate that was ordered', { certificates: [ordered], orders: 1 }, ['drill-orders']],
    ['an order that no Certificate tells of', { orders: 1 }, ['drill-orders']],
    ['one of another issuer', { certificates: [{ ...ordered, acme: false, outcome: 'reissued' }] }, ['drill-orders']],
    ['one that is not Ready', { certificates: [certificate({ outcome: 'not-ready' })] }, ['drill-not-ready']],
    ['a wrong forecast', { certificates: [certificate({ disagreement: 'wrong' })] }, ['drill-forecast']],
    ['nothing to drill', { certificates: [] }, ['drill-empty']],
  ] satisfies [string, Partial<Drilled>, string[]][])('is not well with %s', (_, change, codes) => {
    expect(codesOf(change)).toEqual(codes);
    expect(resultOf(drilled(change)).ok).toBe(false);
  });

  it('is well with a certificate that never owned a Secret', () => {
    expect(codesOf({ certificates: [certificate(), certificate({ name: 'c', outcome: 'not-owner' })] })).toEqual([]);
  });

  it('puts a refusal first, with every object that was not taken', () => {
    const objects = [{ subject: 'Secret team/b-tls', action: 'refuse', reason: 'no valid pair' }];
    const restored = { forecast: [], objects, isRefused: true, seconds: 1 };
    const change = { restored, certificates: [ordered], orders: 1, notTaken: ['Secret team/c: no'] };
    const result = resultOf(drilled(change));
    expect(result.findings.map(({ code }) => code)).toEqual(['drill-refused', 'drill-orders']);
    expect(result.refused).toEqual(['Secret team/b-tls: no valid pair', 'Secret team/c: no']);
  });

  it('names the versions where they may be the cause of a wrong forecast', () => {
    const change = { certificates: [certificate({ disagreement: 'wrong' })] };
    expect(resultOf(drilled(change)).findings[0]?.next).toContain('report this');
    expect(resultOf(drilled(change, 'v1.18.2')).findings[0]?.next).toContain('v1.18.2');
  });
});

describe('isSameVersion', () => {
  it.each([
    ['v1.21.2', 'v1.21.2', true],
    ['1.21.2', 'v1.21.2', true],
    ['', 'v1.21.2', true],
    ['v1.20.0', 'v1.21.2', false],
  ])('%s and %s: %s', (recorded, lab, same) => {
    expect(isSameVersion(recorded, lab)).toBe(same);
  });
});

describe('the reports', () => {
  const result = resultOf(drilled({ certificates: [certificate(), ordered], orders: 1 }, 'v1.18.2'));

  it('name the certificate, cert-manager’s words, why, and what to do, with no markup of others', () => {
    const text = drillSummary(result, now).text();
    for (const part of [
      '`team/b`',
      'IncorrectIssuer',
      'Issuer\\|x',
      'another issuer',
      'make them agree',
      '`drill-orders`',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('1 of 2 certificates stayed as they were');
  });

  it('say that another cert-manager was drilled', () => {
    expect(drillSummary(result, now).text()).toContain('the cluster ran cert-manager v1.18.2');
  });

  it('tell a terminal the same', () => {
    const text = drillText(result);
    expect(text).toContain('made 2 hours ago: FAILED');
    expect(text).toContain('ORDERED  team/b (a.example.com): IncorrectIssuer');
    expect(text).toContain('next: make them agree');
  });
});
