import { createHash, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { secretsIn } from './secret-shapes.js';

describe('what looks like a secret', () => {
  it('is each line of a private key, with as few digits and as many slashes as chance gives it', () => {
    const lines = Array.from({ length: 2_000 }, (_, index) => {
      const bytes = createHash('sha384').update(`line ${index} of a key`).digest();
      return bytes.toString('base64');
    });
    expect(lines.filter((line) => !secretsIn(line).includes(line))).toEqual([]);
  });

  it.each([
    ['rsa', 'pkcs8'],
    ['rsa', 'pkcs1'],
    ['ec', 'pkcs8'],
    ['ec', 'sec1'],
    ['ed25519', 'pkcs8'],
  ] as const)('is the first line of a key, of which little is chance: %s as %s', (kind, type) => {
    const { privateKey } =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : kind === 'ec'
          ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
          : generateKeyPairSync('ed25519');
    const [, first = ''] = privateKey
      .export({ type: type as 'pkcs8', format: 'pem' })
      .toString()
      .split('\n');
    // Without the part that is chance: it is known by what is not.
    const plain = `${first.slice(0, 40)}${'a'.repeat(24)}`;
    expect([secretsIn(first), secretsIn(plain)]).toEqual([[first], [plain]]);
  });

  it.each([
    'arn:aws:eks:eu-central-1:123456789012:cluster/Production-EU',
    'gke_my-project-123456_europe-west1-b_cluster-1',
    'kubernetes-admin@kubernetes',
    'StructuredAuthenticationConfiguration',
    'clusters/ProductionEurope/namespaces/McpServers',
    'https://platform.example.com/AcmeOrg/McpServers',
  ])('is not %s', (name) => {
    expect(secretsIn(name)).toEqual([]);
  });
});
