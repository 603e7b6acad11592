import { expect, it } from '@jest/globals';
import type { ApiCaller } from '../platform/api.js';
import { Made } from './made.js';
import { deployServer, keySecretOf, serverOfKeySecret } from './servers.js';

async function noted(spec: Record<string, unknown>): Promise<string[]> {
  const made = new Made(() => undefined);
  const caller = { call: async () => ({ status: 200, body: {}, told: '' }) } as unknown as ApiCaller;
  await deployServer(caller, made, { name: 'smoke-1', namespace: 'n', spec });
  return made.things.map(({ kind, name }) => `${kind} ${name}`);
}

it.each<[string, Record<string, unknown>]>([
  ['tells no events', {}],
  ['is told not to', { analytics: { disabled: true, ingestURL: 'http://ingest' } }],
  ['brings a key of its own', { analytics: { ingestURL: 'http://ingest', apiKeySecretRef: { name: 'own' } } }],
])('notes the server alone where it %s', async (_, spec) => {
  expect(await noted(spec)).toEqual(['server smoke-1']);
});

it('notes the Secret that the platform makes with a server that tells events', async () => {
  const all = ['server smoke-1', 'secret smoke-1-analytics-creds'];
  expect(await noted({ analytics: { ingestURL: 'http://ingest' } })).toEqual(all);
  expect(serverOfKeySecret(keySecretOf('smoke-1'))).toBe('smoke-1');
  expect(serverOfKeySecret('registry-tls')).toBeUndefined();
});
