import { X509Certificate } from 'node:crypto';
import type { ConnectionInputs } from '../../shared/action/connection.js';
import { log } from '../../shared/action/log.js';
import type { Cluster } from '../../shared/cluster/cluster.js';
import { textAt } from '../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../shared/cluster/objects.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import type { GuardOptions } from '../../shared/permissions/guard.js';
import { smokeAdminRules, smokeTenantRules } from '../../shared/permissions/smoke-test-rules.js';
import { type ApiCaller, type ApiPorts, type Caller, findApi, type PlatformApi } from '../../shared/platform/api.js';
import type { Hosts } from '../../shared/profile/values.js';
import type { SmokeInputs } from './inputs.js';

/** Who is asked for what only an admin may. */
export interface AdminInputs {
  'admin-key': string;
  'admin-email': string;
  'admin-password': string;
}

/** The way into an operation: a profile's kubeconfig is not used, as it would be there always. */
export const door = {
  stage: 'smoke-test',
  connection: (inputs: SmokeInputs): ConnectionInputs | undefined => {
    const { kubeconfig, 'api-server': server } = inputs;
    return kubeconfig === '' && server === '' ? undefined : { ...inputs, server };
  },
} as const;

/** What the cluster's credentials must allow before anything is made on the platform. */
export function permissionsOf(inputs: SmokeInputs): Omit<GuardOptions, 'warn'> {
  const isGivenAdmin = inputs['admin-key'] !== '' || inputs['admin-email'] !== '';
  const publishes = inputs.operation === 'preview' || (inputs.operation === 'test' && inputs.suite.includes('tenant'));
  return {
    names: ['smoke-test'],
    rules: [...(isGivenAdmin ? [] : smokeAdminRules), ...(publishes ? smokeTenantRules : [])],
  };
}

/** Finds API and admin once. @throws McprtError `smoke-admin`, and of findApi */
export function platformOf(
  hosts: Hosts,
  inputs: AdminInputs,
  cluster: Cluster | undefined,
  ports: ApiPorts,
): () => Promise<{ api: PlatformApi; admin: ApiCaller }> {
  let found: Promise<{ api: PlatformApi; admin: ApiCaller }> | undefined;
  const find = async (): Promise<{ api: PlatformApi; admin: ApiCaller }> => {
    const [api, caller] = await Promise.all([findApi(hosts.platform, ports), adminOf(inputs, cluster, ports.mask)]);
    return { api, admin: api.as(caller) };
  };
  return () => {
    found ??= find();
    return found;
  };
}

async function adminOf(
  inputs: AdminInputs,
  cluster: Cluster | undefined,
  mask: (secret: string) => void,
): Promise<Caller> {
  if (inputs['admin-key'] !== '') return { key: inputs['admin-key'] };
  if (inputs['admin-email'] !== '') return { email: inputs['admin-email'], password: inputs['admin-password'] };
  const secret = await cluster?.get<KubeObject>(kinds.secret, {
    namespace: 'mcp-sentinel',
    name: 'mcp-sentinel-secrets',
  });
  const keys = Buffer.from(textAt(secret, 'data', 'ADMIN_API_KEYS'), 'base64').toString('utf8');
  const key = keys.split(',')[0]?.trim() ?? '';
  mask(key);
  if (key !== '') return { key };
  throw new McprtError('smoke-admin', {
    what: 'nobody is given who may make teams and grants',
    why:
      cluster === undefined
        ? '`admin-key`, `admin-email` and `kubeconfig` are empty'
        : 'the Secret mcp-sentinel/mcp-sentinel-secrets has no ADMIN_API_KEYS',
    next: 'give one of the platform’s ADMIN_API_KEYS as `admin-key`; a job takes it from a secret of its environment',
  });
}

/** Serials of the certificates that the cluster has for its public hosts. Where they cannot be read, none is compared. */
export async function serialsOf(
  cluster: Cluster | undefined,
  hosts: Hosts,
): Promise<ReadonlyMap<string, readonly string[]> | undefined> {
  if (cluster === undefined) return undefined;
  try {
    // mcp. has no certificate of its own: it is served from the registry's.
    const lists = await Promise.all(
      ['registry', 'mcp-sentinel'].map((namespace) =>
        cluster.list<KubeObject>(kinds.secret, { namespace, fieldSelector: 'type=kubernetes.io/tls' }),
      ),
    );
    const certificates = lists.flatMap(({ items }) => items.flatMap(leafOf));
    return new Map(
      Object.values(hosts).map((host: string) => [
        host,
        certificates
          .filter((certificate) => certificate.checkHost(host) !== undefined)
          .map(({ serialNumber }) => serialNumber.toLowerCase().replace(/^0+(?=.)/, '')),
      ]),
    );
  } catch (error) {
    log.warning(`the cluster’s certificates cannot be read, and are not compared: ${messageOf(error)}`);
    return undefined;
  }
}

function leafOf(secret: KubeObject): X509Certificate[] {
  try {
    return [new X509Certificate(Buffer.from(textAt(secret, 'data', 'tls.crt'), 'base64'))];
  } catch {
    return [];
  }
}
