import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../cluster/objects.js';
import { decideMode, type ModeFacts } from './mode.js';

const issuer = (ready: 'True' | 'False'): KubeObject & { spec: Record<string, unknown> } => ({
  apiVersion: 'cert-manager.io/v1',
  kind: 'ClusterIssuer',
  metadata: { name: 'letsencrypt-prod' },
  spec: { acme: {} },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});
const namespace = (name: string, deletionTimestamp?: string): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, ...(deletionTimestamp ? { deletionTimestamp } : {}) },
});
const installed = [namespace('registry'), namespace('mcp-sentinel')];

function facts(parts: Partial<ModeFacts['seen']> & { hasBackup?: boolean; unfinishedSince?: string } = {}): ModeFacts {
  const { hasBackup = false, unfinishedSince, ...seen } = parts;
  return {
    issuer: 'letsencrypt-prod',
    hasBackup,
    unfinishedSince,
    seen: {
      issuers: [],
      namespaces: [],
      certManager: { state: 'running' },
      groups: new Map(),
      certificates: [],
      ...seen,
    },
  };
}

const absent = { state: 'absent' } as const;

describe('decideMode', () => {
  it.each<[string, ModeFacts, string, string]>([
    ['an empty cluster', facts(), 'first-install', 'first-install'],
    ['an empty cluster and a backup', facts({ hasBackup: true }), 'first-install', 'new-cluster'],
    ['an installed platform', facts({ issuers: [issuer('True')], namespaces: installed }), 'rerun', 'rerun'],
    ['an issuer that is not Ready', facts({ issuers: [issuer('False')], namespaces: installed }), 'rerun', 'rerun'],
    [
      'a first install that was not finished',
      facts({ issuers: [issuer('True')], unfinishedSince: '2026-11-24T12:00:00Z' }),
      'rerun',
      'first-install-resumed',
    ],
    ['a wiped platform', facts({ issuers: [issuer('True')], hasBackup: true }), 'rerun', 'rerun-after-wipe'],
    [
      'a platform that is being wiped',
      facts({ issuers: [issuer('True')], namespaces: [namespace('registry', 'now'), namespace('mcp-sentinel')] }),
      'rerun',
      'rerun-after-wipe',
    ],
    [
      'a cluster without cert-manager’s controller',
      facts({ issuers: [issuer('False')], namespaces: installed, certManager: absent }),
      'rerun',
      'cert-manager-gone',
    ],
  ])('finds %s', (_, given, mode, found) => {
    expect(decideMode('auto', given)).toMatchObject({ mode, case: found });
  });

  it('takes a mistyped issuer for what it is, and never for a first install', () => {
    const given = { ...facts({ issuers: [issuer('True')] }), issuer: 'letsencrypt-prd' };
    expect(() => decideMode('auto', given)).toThrow(expect.objectContaining({ code: 'setup-mode' }));
    expect(() => decideMode('auto', { ...facts(), issuer: 'company-ca' })).toThrow(
      expect.objectContaining({ code: 'setup-mode' }),
    );
  });

  it.each([
    ['first-install', facts({ issuers: [issuer('True')] })],
    ['rerun', facts()],
  ] as const)('refuses %s where it does not fit', (wanted, given) => {
    expect(() => decideMode(wanted, given)).toThrow(expect.objectContaining({ code: 'setup-mode' }));
  });
});
