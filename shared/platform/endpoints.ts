import { messageOf } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import type { Hosts } from '../profile/values.js';
import type { Layout } from './resources.js';
import type { ReachOptions } from './way.js';
import { openWeb, type Web } from './web.js';

/** A public address of the platform, and what a healthy one answers to somebody without credentials. */
export interface Endpoint {
  host: string;
  path: string;
  /** The Deployment behind it. */
  behind: string;
  expected: readonly number[];
  /** Whether the answer must be JSON: the dashboard answers for paths that no API has. */
  isJson: boolean;
}

/** What an endpoint answered. `problem` is empty when it is healthy. */
export interface EndpointState {
  endpoint: Endpoint;
  status: number | undefined;
  problem: string;
}

const deadline = 5_000;

/** The endpoints of a layout. An API that refuses a caller it does not know is up, and so is its way to the database. */
export function endpointsOf(layout: Layout, hosts: Hosts): Endpoint[] {
  const api = (path: string, behind: string): Endpoint => ({
    host: hosts.platform,
    path,
    behind,
    // A platform in public mode shows its servers to everybody.
    expected: [401, 200],
    isJson: true,
  });
  const dashboard: Endpoint = {
    host: hosts.platform,
    path: '/',
    behind: 'mcp-sentinel-ui',
    expected: [200, 302, 303, 307],
    isJson: false,
  };
  if (layout === 'split') {
    return [
      api('/api/v1/auth/me', 'mcp-platform-api'),
      api('/api/v1/runtime/servers', 'mcp-runtime-api'),
      api('/api/v1/stats', 'mcp-analytics-api'),
      dashboard,
    ];
  }
  return layout === 'mono' ? [api('/api/auth/me', 'mcp-sentinel-api'), dashboard] : [];
}

/** Asks all of them at once, over verified TLS. Nothing is thrown but the signal's reason: a failure is what was seen. */
export async function askEndpoints(
  endpoints: readonly Endpoint[],
  options: ReachOptions,
  signal: AbortSignal,
): Promise<EndpointState[]> {
  const web = openWeb(options);
  try {
    return await Promise.all(endpoints.map((endpoint) => ask(web, endpoint, signal)));
  } finally {
    web.close();
  }
}

async function ask(web: Web, endpoint: Endpoint, signal: AbortSignal): Promise<EndpointState> {
  const { host, path } = endpoint;
  try {
    const headers = { accept: 'application/json, text/html' };
    const { status, headers: told, text } = await web.ask({ method: 'GET', host, path, headers, deadline, signal });
    return { endpoint, status, problem: problemOf(endpoint, status, told['content-type'] ?? '', text) };
  } catch (error) {
    signal.throwIfAborted();
    return { endpoint, status: undefined, problem: messageOf(error) };
  }
}

function problemOf({ expected, isJson }: Endpoint, status: number, type: string, body: string): string {
  if (!expected.includes(status)) return `it answers ${status}${body === '' ? '' : `: ${body.slice(0, 120).trim()}`}`;
  if (!isJson || (type.includes('json') && isRecord(parsedJson(body)))) return '';
  return `it answers ${status}, and not as an API: ${type || 'no content type'}`;
}
