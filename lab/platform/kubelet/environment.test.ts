import { expect, it } from '@jest/globals';
import { kinds } from '../../../shared/cluster/objects.js';
import { missingOf } from './environment.js';

const secrets: Record<string, Record<string, string>> = { 'mcp-sentinel-secrets': { PLATFORM_DEV_USER_EMAIL: '' } };

const missing = (container: Record<string, unknown>): Promise<string> =>
  missingOf(container, 'ns', async (kind, { name }) =>
    kind === kinds.secret && secrets[name] !== undefined
      ? { apiVersion: 'v1', kind: 'Secret', metadata: { name }, data: secrets[name] }
      : undefined,
  );
const env = (from: Record<string, unknown>) => ({ env: [{ name: 'A', valueFrom: from }] });

it.each([
  ['an empty value', env({ secretKeyRef: { name: 'mcp-sentinel-secrets', key: 'PLATFORM_DEV_USER_EMAIL' } }), ''],
  [
    'a key that is not there',
    env({ secretKeyRef: { name: 'mcp-sentinel-secrets', key: 'B' } }),
    "couldn't find key B in Secret ns/mcp-sentinel-secrets",
  ],
  ['an optional key', env({ secretKeyRef: { name: 'other', key: 'B', optional: true } }), ''],
  ['a Secret that is not there', { envFrom: [{ secretRef: { name: 'other' } }] }, 'secret "other" not found'],
  ['an optional Secret', { envFrom: [{ secretRef: { name: 'other', optional: true } }] }, ''],
  [
    'a key of a ConfigMap that is not there',
    env({ configMapKeyRef: { name: 'c', key: 'B' } }),
    'configmap "c" not found',
  ],
])('takes %s as a kubelet does', async (_, container, expected) => {
  expect(await missing(container)).toBe(expected);
});
