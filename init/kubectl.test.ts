import { execFileSync } from 'node:child_process';
import { expect, it } from '@jest/globals';
import { kubectlAt } from './kubectl.js';

const known = { fingerprint: 'f', bound: [], context: '' };

it.each([
  ['no kubeconfig', '', { why: 'none' }, '||'],
  ['a cluster that does not answer', '/a b/config', { why: 'down' }, '/a b/config||'],
  [
    'a context',
    "/it's/config",
    { ...known, context: 'admin@two platforms' },
    "/it's/config|--context|admin@two platforms",
  ],
  ['a kubeconfig without a name for it', '/a:/b', known, '/a:/b||'],
] as const)('asks the cluster that was looked at, whatever the shell is at: %s', (_, kubeconfig, cluster, expected) => {
  const stub = `kubectl() { printf '%s|%s|%s' "$KUBECONFIG" "$1" "$2"; }; `;
  const said = execFileSync('bash', ['--norc', '-c', stub + kubectlAt({ kubeconfig, cluster })], {
    env: {},
    encoding: 'utf8',
  });
  expect(said).toBe(expected);
});
