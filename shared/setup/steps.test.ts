import { describe, expect, it } from '@jest/globals';
import { readDoctor } from './doctor.js';
import { hear } from './steps.js';

describe('hear', () => {
  it.each([
    ['# MCP Runtime Setup', { kind: 'step', title: 'Preflight of the installer' }],
    ['## Step 5a: Publish analytics images', { kind: 'step', title: 'Step 5a: Publish analytics images' }],
    [' INFO  Deploying operator manifests', { kind: 'step', title: 'Deploy the operator' }],
    ['\u001b[30;46m\u001b[30;46m INFO \u001b[0m\u001b[0m line', { kind: 'line' }],
    [' SUCCESS  Pushed r/x:1 via in-cluster helper (helper destination y)', { kind: 'line' }],
    [
      'Error: setup step "tls" failed: certificate not ready',
      { kind: 'failed', step: 'tls', message: 'certificate not ready' },
    ],
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
});
