import type { Registry } from '../../lab/driver/registry.js';
import { type PlatformApi, startPlatformApi } from '../../lab/platform/api/platform-api.js';
import { putImage } from '../../lab/platform/image.js';
import { startOperator } from '../../lab/platform/operator/operator.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import type { Base, WorldOptions } from './base.js';
import type { Made } from './part.js';
import { registryHost } from './registry.js';

const gatewayRepository = 'mcp-sentinel-mcp-gateway';

/** The platform's API, with the operator that makes of servers what serves them. */
export interface Api extends PlatformApi {
  /** A service key that is an administrator's. */
  adminKey: string;
  admin: { email: string; password: string };
}

/** Starts API and operator. */
export async function makeApi(
  { cluster, layout, domain }: Base,
  registry: Registry,
  { tokenSeconds }: WorldOptions,
): Promise<Made<Api>> {
  await putImage(registry.url, gatewayRepository, 'lab');
  const secret = await cluster.get<KubeObject>(kinds.secret, {
    namespace: 'mcp-sentinel',
    name: 'mcp-sentinel-secrets',
  });
  const keys = Buffer.from(textAt(secret, 'data', 'ADMIN_API_KEYS'), 'base64').toString('utf8');
  const adminKey = keys.split(',')[0] ?? '';
  const admin = { email: `admin@${domain}`, password: 'lab-administrator' };
  const operator = await startOperator(cluster, { gatewayImage: `${registryHost}/${gatewayRepository}:lab` });
  const api = await startPlatformApi(cluster, {
    layout,
    domain,
    registryUrl: registry.url,
    adminKeys: [adminKey],
    admin,
    settings: tokenSeconds === undefined ? {} : { tokenSeconds },
  }).catch(async (error: unknown) => {
    await operator.close();
    throw error;
  });
  return {
    part: { ...api, adminKey, admin },
    inputs: { 'smoke-test': { 'admin-key': adminKey } },
    async close() {
      await api.close();
      await operator.close();
    },
  };
}
