import { request } from 'node:https';
import { rootCertificates } from 'node:tls';
import { messageOf } from '../errors.js';
import { isRecord, parsedJson } from '../json.js';
import type { Hosts } from '../profile/values.js';
import { addressFor, type ReachOptions } from './reach.js';
import type { Layout } from './resources.js';

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
const longestBody = 64 * 1024;

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

/** Asks all of them at once, over verified TLS. Nothing is thrown: a failure is what was seen. */
export function askEndpoints(endpoints: readonly Endpoint[], options: ReachOptions): Promise<EndpointState[]> {
  return Promise.all(
    endpoints.map(async (endpoint): Promise<EndpointState> => {
      try {
        const { status, type, body } = await ask(endpoint, options);
        return { endpoint, status, problem: problemOf(endpoint, status, type, body) };
      } catch (error) {
        return { endpoint, status: undefined, problem: messageOf(error) };
      }
    }),
  );
}

function problemOf({ expected, isJson }: Endpoint, status: number, type: string, body: string): string {
  if (!expected.includes(status)) return `it answers ${status}${body === '' ? '' : `: ${body.slice(0, 120).trim()}`}`;
  if (!isJson || (type.includes('json') && isRecord(parsedJson(body)))) return '';
  return `it answers ${status}, and not as an API: ${type || 'no content type'}`;
}

async function ask(
  { host, path }: Endpoint,
  options: ReachOptions,
): Promise<{ status: number; type: string; body: string }> {
  const { address, port } = await addressFor(host, 443, options);
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; type: string; body: string }>();
  const asked = request({
    host: address,
    port,
    path,
    servername: host,
    headers: { host, accept: 'application/json, text/html', 'user-agent': 'mcprt' },
    ca: [...rootCertificates, ...(options.caBundle === '' ? [] : [options.caBundle])],
    agent: false,
  });
  // In all, and not since the last byte: what sends one now and then is never idle.
  const late = setTimeout(() => {
    reject(new Error(`no answer within ${deadline / 1000} s`));
    asked.destroy();
  }, deadline);
  asked.once('error', reject);
  asked.once('response', (answer) => {
    let body = '';
    answer.setEncoding('utf8').on('data', (text: string) => {
      if (body.length < longestBody) body += text;
    });
    answer.once('error', reject);
    answer.once('end', () =>
      resolve({ status: answer.statusCode ?? 0, type: String(answer.headers['content-type'] ?? ''), body }),
    );
  });
  asked.end();
  return promise.finally(() => clearTimeout(late));
}
