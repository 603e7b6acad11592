import { describe, expect, it } from '@jest/globals';
import { readDoctor } from './doctor.js';
import { hear } from './installer-output.js';

describe('hear', () => {
  it.each([
    ['# MCP Runtime Setup', { kind: 'step', title: 'Preflight of the installer' }],
    ['## Step 5a: Publish analytics images', { kind: 'step', title: 'Step 5a: Publish analytics images' }],
    ['## Configure workload mTLS PKI', { kind: 'step', title: 'Configure workload mTLS PKI' }],
    [' INFO  Deploying operator manifests', { kind: 'step', title: 'Deploy the operator' }],
    ['\u001b[30;46m\u001b[30;46m INFO \u001b[0m\u001b[0m line', { kind: 'line' }],
    [' SUCCESS  Pushed r/x:1 via in-cluster helper (helper destination y)', { kind: 'line' }],
    [
      'Error: setup step "tls" failed: certificate not ready',
      { kind: 'failed', step: 'tls', message: 'certificate not ready' },
    ],
    [
      '\u001b[30;43m WARNING \u001b[0m Pre-flight [1/1] orphaned Secret registry/registry-tls - delete the secret',
      { kind: 'harmful', comment: expect.stringContaining('do not delete this Secret') },
    ],
    [' WARNING  Pre-flight [1/1] pull Secret does not match UI_API_KEY', { kind: 'line' }],
    ['Error: unknown flag: --x', { kind: 'failed', step: undefined, message: 'unknown flag: --x' }],
  ])('understands %j', (line, heard) => {
    expect(hear(line)).toEqual(heard);
  });
});

describe('readDoctor', () => {
  it('makes a warning of each complaint, with its remedy', () => {
    const output = [
      ' INFO  Checking 1/40 operator',
      ' ERROR   operator — not ready',
      ' INFO    Remedy: run setup',
      ' SUCCESS  node — ok',
    ];
    expect(readDoctor(output)).toMatchObject([
      { code: 'doctor', severity: 'warning', subject: 'operator', evidence: ['not ready'], remedy: 'run setup' },
    ]);
  });

  it('keeps all lines of a complaint, and its own remedy with all of its lines', () => {
    const output = [
      '\u001b[30;46m INFO \u001b[0m Checking 3/40 registry reachability — launching a pod',
      '  ERROR   registry reachability — helper pod did not succeed: Failed',
      '          curl: (28) Connection timed out',
      '          ERROR in its log is no complaint of its own',
      '          Remedy: allow the traffic from mcp-servers to registry:',
      '          kubectl get networkpolicy -n registry',
      ' INFO  Checking 4/40 node — ready',
      '       an indented line of something else',
      '  ERROR   pending pods — 2 pods are Pending',
      '          for example mcp-sentinel/kafka-0',
      ' INFO    Remedy: describe them,',
      '         and look at the volumes',
      '  ERROR   secrets — empty key',
      ' INFO  ',
      ' INFO  Full remediation steps are in docs/cluster-readiness.md.',
      'Error: cluster doctor found unmet prerequisites',
    ];
    expect(readDoctor(output).map(({ subject, evidence, remedy }) => ({ subject, evidence, remedy }))).toEqual([
      {
        subject: 'registry reachability',
        evidence: [
          'helper pod did not succeed: Failed',
          'curl: (28) Connection timed out',
          'ERROR in its log is no complaint of its own',
        ],
        remedy: 'allow the traffic from mcp-servers to registry:\nkubectl get networkpolicy -n registry',
      },
      {
        subject: 'pending pods',
        evidence: ['2 pods are Pending', 'for example mcp-sentinel/kafka-0'],
        remedy: 'describe them,\nand look at the volumes',
      },
      { subject: 'secrets', evidence: ['empty key'], remedy: 'mcp-runtime cluster doctor' },
    ]);
  });

  it('keeps no more of a complaint than people read', () => {
    const output = ['  ERROR   pod — failed', ...Array.from({ length: 100 }, () => `          ${'x'.repeat(5000)}`)];
    const [found] = readDoctor(output);
    expect(found?.evidence).toHaveLength(30);
    expect(found?.evidence.every((line) => line.length <= 600)).toBe(true);
    expect(readDoctor(Array.from({ length: 1000 }, () => '  ERROR   pod — failed'))).toHaveLength(50);
  });
});
