import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';
import { type Mcp, type McpAnswer, openMcp, resultOf, toldOf } from '../mcp/client.js';
import type { ApiCaller } from '../platform/api.js';
import type { Web } from '../platform/web.js';
import type { Deployed, Made } from './made.js';
import { until } from './until.js';

export interface ServerWaits {
  /** How long a server may take to be there or gone, in ms. */
  deploy: number;
  signal: AbortSignal;
  progress: (line: string) => void;
}

const keySuffix = '-analytics-creds';

/** The Secret that the platform's API makes with a server that tells events. It bears no owner, and outlives the server. */
export function keySecretOf(server: string): string {
  return `${server}${keySuffix}`;
}

/** The server that such a Secret was made with; undefined for any other Secret. */
export function serverOfKeySecret(secret: string): string | undefined {
  return secret.endsWith(keySuffix) ? secret.slice(0, -keySuffix.length) : undefined;
}

/**
 * Deploys a server of a name that is not in use. What it makes, and what the platform makes with it, is noted before.
 *
 * @throws McprtError `smoke-name-taken`, `smoke-deploy`, `smoke-admission`, `smoke-limit`, and of the call
 */
export async function deployServer(
  caller: ApiCaller,
  made: Made,
  { name, namespace, spec }: Deployed & { spec: Record<string, unknown> },
): Promise<void> {
  made.add({ kind: 'server', namespace, name });
  const { analytics } = spec;
  const hasKey = isRecord(analytics) && analytics.disabled !== true && analytics.apiKeySecretRef === undefined;
  if (hasKey) made.add({ kind: 'secret', namespace, name: keySecretOf(name) });
  const answer = await caller.call('POST', '/runtime/servers', {
    body: { name, namespace, scope: 'tenant', spec },
    accept: [200, 400, 403, 409, 422],
    deadline: 60_000,
  });
  if (answer.status === 200) return;
  const { told: why } = answer;
  if (answer.status === 409 || why.includes('not owned by this user')) {
    throw new McprtError('smoke-name-taken', {
      what: `a server ${name} is there already`,
      why,
      next: 'it is left from another run: run `operation: cleanup`; only who made it, or an admin, may remove it',
    });
  }
  if (answer.status === 422) {
    throw new McprtError('smoke-admission', {
      what: `the cluster does not take the server ${name}`,
      why,
      next: 'correct the field that it names in the metadata',
    });
  }
  throw new McprtError('smoke-deploy', {
    what: `the server ${name} cannot be deployed`,
    why,
    next: 'its words say what it does not like: scope, namespace or image',
  });
}

/**
 * Waits until the platform says that a server is ready.
 *
 * @param explain what else is known of why it is not, at the end of the wait
 * @throws McprtError `smoke-not-ready`
 */
export async function untilReady(
  caller: ApiCaller,
  { name, namespace }: Deployed,
  { deploy, signal, progress }: ServerWaits,
  explain: () => Promise<string>,
): Promise<string> {
  let last = '';
  const isReady = await until(deploy, signal, async () => {
    const { body } = await caller.call('GET', `/runtime/servers/${namespace}/${name}`, { accept: [200, 404] });
    const server = isRecord(body) && isRecord(body.server) ? body.server : {};
    const [ready, wanted] = String(server.ready ?? '')
      .split('/')
      .map(Number);
    const state = `${String(server.status ?? 'absent')} ${String(server.ready ?? '')}`.trim();
    if (state !== last) progress(`  ${name}: ${state}`);
    last = state;
    return (
      String(server.status).toLowerCase() === 'ready' && wanted !== undefined && wanted > 0 && (ready ?? 0) >= wanted
    );
  });
  if (isReady) return last;
  const more = await explain().catch(() => '');
  throw new McprtError('smoke-not-ready', {
    what: `the server ${name} did not become ready within ${Math.round(deploy / 1000)} s`,
    why: `it was last ${last}${more === '' ? '' : `\n${more}`}`,
    next: `look at its pods: \`kubectl get pods,events -n ${namespace}\`; an image of another architecture and a pull Secret with an old password are the usual causes`,
  });
}

/**
 * Opens a conversation with a server through its public address, as soon as that leads to it.
 *
 * @throws McprtError `smoke-mcp-unreachable`
 */
export async function untilServed(
  web: Web,
  { host, path, headers }: { host: string; path: string; headers?: Readonly<Record<string, string>> },
  { deploy, signal }: ServerWaits,
): Promise<{ mcp: Mcp; answer: McpAnswer }> {
  const mcp = openMcp(web, { host, path, signal, ...(headers === undefined ? {} : { headers }) });
  let last = '';
  let answer: McpAnswer | undefined;
  await until(deploy, signal, async () => {
    answer = await mcp.initialize();
    last = toldOf(answer);
    // What Traefik answers while it has no route yet, or no pod behind it.
    return ![404, 502, 503, 504].includes(answer.status);
  });
  if (answer === undefined || resultOf(answer) === undefined) {
    throw new McprtError('smoke-mcp-unreachable', {
      what: `no MCP server answers at https://${host}${path}`,
      why: `initialize → ${last}`,
      next: '404 is Traefik without a route (look at the Ingress), 502 and 503 are routes without a pod, 401 and 403 are the gateway: `kubectl get ingress,pods -A`',
    });
  }
  return { mcp, answer };
}

/**
 * Waits until nothing answers at a server's address any more, so that what answers there later is a new one.
 *
 * @throws McprtError `smoke-old-version`
 */
export async function untilGone(
  web: Web,
  { host, path }: { host: string; path: string },
  { deploy, signal }: ServerWaits,
): Promise<void> {
  let last = '';
  const isGone = await until(deploy, signal, async () => {
    const answer = await openMcp(web, { host, path, signal }).initialize();
    last = toldOf(answer);
    return [404, 502, 503, 504].includes(answer.status);
  });
  if (isGone) return;
  throw new McprtError('smoke-old-version', {
    what: `an old server keeps answering at https://${host}${path}`,
    why: `its server was removed, and initialize still gives ${last.slice(0, 160)}`,
    next: 'another server may have taken the address (the platform does not check that): `kubectl get ingress -A`; or its pods do not terminate: `kubectl get pods -A`',
  });
}
