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
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const [, first = ''] = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString().split('\n');
    expect(secretsIn(first)).toEqual([first]);
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
