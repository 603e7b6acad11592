import { describe, expect, it } from '@jest/globals';
import type { CertificateForecast } from '../backup/restore-plan.js';
import { checkOrders } from './orders.js';

const hosts = { registry: 'registry.example.com', mcp: 'mcp.example.com', platform: 'platform.example.com' };
const context = { issuer: 'letsencrypt-prod', hosts };
const left = (count: number): CertificateForecast['budget'] => ({
  used: 5 - count,
  left: count,
  nextRefill: new Date(0),
});

function order(namespace: string, name: string, budget = left(5)): CertificateForecast {
  return {
    namespace,
    name,
    secretName: 'tls',
    excused: undefined,
    origin: 'explicit',
    identifiers: ['x.example.com'],
    issuer: 'letsencrypt-prod',
    issuedBy: undefined,
    serial: undefined,
    notAfter: undefined,
    verdict: 'order',
    reason: 'DoesNotExist',
    message: 'no Secret',
    due: undefined,
    drift: [],
    acme: true,
    budget,
  };
}
const own = [order('registry', 'registry-cert'), order('mcp-sentinel', 'mcp-sentinel-platform-tls')];

describe('checkOrders', () => {
  it('allows a first install what it needs, and nothing more', () => {
    expect(checkOrders(own, 'auto', { ...context, found: 'first-install', hasBackup: false })).toBe(2);
    const more = [...own, order('team', 'foreign')];
    expect(() => checkOrders(more, 'auto', { ...context, found: 'first-install', hasBackup: false })).toThrow(
      expect.objectContaining({ code: 'setup-orders' }),
    );
  });

  it('allows none in a rerun, or where a backup was to hold them', () => {
    for (const given of [
      { found: 'rerun', hasBackup: false },
      { found: 'first-install', hasBackup: true },
    ] as const) {
      expect(() => checkOrders(own, 'auto', { ...context, ...given })).toThrow(
        expect.objectContaining({ code: 'setup-orders' }),
      );
    }
    expect(checkOrders(own, 2, { ...context, found: 'rerun', hasBackup: false })).toBe(2);
  });

  it('refuses an order that the CA would refuse, unless a number was given', () => {
    const spent = own.map((one) => ({ ...one, budget: left(0) }));
    const given = { ...context, found: 'first-install', hasBackup: false } as const;
    expect(() => checkOrders(spent, 'auto', given)).toThrow(expect.objectContaining({ code: 'setup-budget' }));
    expect(checkOrders(spent, 2, given)).toBe(2);
  });
});
