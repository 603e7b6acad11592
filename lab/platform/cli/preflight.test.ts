import { describe, expect, it } from '@jest/globals';
import type { KubeObject } from '../../../shared/cluster/objects.js';
import { openConsole } from './console.js';
import { type Observed, preflightFindings, reportPreflight } from './preflight.js';
import { readSetupOptions } from './setup-options.js';

const options = readSetupOptions(
  [
    '--with-tls',
    '--registry-mode',
    'bundled-https',
    '--tls-cluster-issuer',
    'letsencrypt-prod',
    '--skip-cert-manager-install',
  ],
  { MCP_PLATFORM_DOMAIN: 'example.com', MCP_PLATFORM_ADMIN_EMAIL: 'admin@example.com' },
  { certificate: 300, internalCertificate: 120, certManager: 120 },
);
const object = (name: string, more: Partial<KubeObject> = {}): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Thing',
  ...more,
  metadata: { name, ...more.metadata },
});
const healthy: Observed = {
  namespaces: [object('registry')],
  serverKind: [object('mcpservers.mcpruntime.org')],
  certManagerKind: [object('certificates.cert-manager.io')],
  claims: [],
  certificates: [object('registry-cert', { spec: { secretName: 'registry-tls', dnsNames: ['registry.example.com'] } })],
  issuers: [object('letsencrypt-prod')],
  pods: [],
  ingresses: [],
  secrets: [],
  requests: [],
  jobs: [],
};
const texts = (seen: Partial<Observed>): string[] =>
  preflightFindings({ ...healthy, ...seen }, options).map(({ severity, text }) => `${severity}: ${text}`);

describe('preflight', () => {
  it('passes a healthy cluster', () => expect(texts({})).toEqual([]));

  it('takes an unreachable server for a missing cert-manager', () => {
    const nothing = Object.fromEntries(Object.keys(healthy).map((key) => [key, undefined])) as Record<
      keyof Observed,
      undefined
    >;
    expect(texts(nothing)).toEqual(['blocker: cert-manager CRDs not found, but --skip-cert-manager-install is set']);
  });

  it.each<[string, Partial<Observed>, string]>([
    [
      'a namespace of its own in Terminating',
      { namespaces: [object('mcp-sentinel', { metadata: { name: 'mcp-sentinel', deletionTimestamp: 'now' } })] },
      'blocker: namespace mcp-sentinel is stuck in Terminating',
    ],
    ['a missing issuer', { issuers: [] }, 'blocker: ClusterIssuer "letsencrypt-prod" not found'],
    [
      'other names in registry-cert',
      {
        certificates: [
          object('registry-cert', { spec: { secretName: 'registry-tls', dnsNames: ['old.example.com'] } }),
        ],
      },
      'blocker: Certificate registry/registry-cert has dnsNames old.example.com without registry.example.com',
    ],
  ])('blocks on %s', (_what, seen, text) => expect(texts(seen)).toEqual([text]));

  it('does not look at namespaces of teams', () => {
    const team = object('mcp-team-acme', { metadata: { name: 'mcp-team-acme', deletionTimestamp: 'now' } });
    expect(texts({ namespaces: [team] })).toEqual([]);
  });

  it('only warns of a TLS Secret without a Certificate, and prints what it finds', () => {
    const secret = object('registry-tls', { metadata: { name: 'registry-tls', namespace: 'registry' } });
    const findings = preflightFindings({ ...healthy, certificates: [], secrets: [secret] }, options);
    let out = '';
    reportPreflight(
      findings,
      openConsole({ NO_COLOR: '1' }, (_stream, text) => {
        out += text;
      }),
    );
    expect(out).toMatch(/^ WARNING {2}Pre-flight \[1\/1\] orphaned Secret registry\/registry-tls.*\n {2}Run to fix:\n/);
  });

  it('counts blockers alone in its error', () => {
    const findings = preflightFindings({ ...healthy, certManagerKind: [], issuers: [] }, options);
    expect(() =>
      reportPreflight(
        findings,
        openConsole({}, () => undefined),
      ),
    ).toThrow('pre-flight checks found 1 blocker(s) — resolve the issues above and re-run setup');
  });
});
