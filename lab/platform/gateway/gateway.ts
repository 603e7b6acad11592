import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Cluster } from '../../../shared/cluster/cluster.js';
import { at, textAt } from '../../../shared/cluster/fields.js';
import { type KubeObject, kinds } from '../../../shared/cluster/objects.js';
import { messageOf } from '../../../shared/errors.js';
import { isRecord, parsedJson } from '../../../shared/json.js';
import { cached } from '../../driver/cached.js';
import { listenOnLoopback } from '../../driver/loopback.js';
import type { EventStore } from '../api/event-store.js';
import { jsonOf } from '../api/exchange.js';
import { type AnsweredCall, Faults } from '../api/faults.js';
import type { RunningPod } from '../kubelet/kubelet.js';
import { type Decision, evaluate, type Identity } from './evaluate.js';
import { gatewayEvent } from './gateway-event.js';
import { type Policy, policySchema } from './policy.js';
import { type RoutedServer, serverFor } from './route.js';
import { makeUpstream, type Upstream } from './upstream.js';

export interface GatewayOptions {
  domain: string;
  /** The pods of the kubelet stand-ins. */
  pods(): readonly RunningPod[];
  /** Where the events go. */
  events: EventStore;
  /** How long a gateway goes on with a policy before it looks at the file again. */
  propagationMs?: number;
}

/** The gateways of all servers with the servers behind them, running. */
export interface Gateway {
  url: string;
  faults: Faults;
  /** Every call that was answered. */
  calls: readonly AnsweredCall[];
  close(): Promise<void>;
}

interface Reply {
  status: number;
  headers: Readonly<Record<string, string>>;
  body: Buffer | ReadableStream<Uint8Array>;
}

const largest = 1024 * 1024;
const freshMilliseconds = 100;
const governance = ['X-MCP-Human-ID', 'X-MCP-Agent-ID', 'X-MCP-Team-ID', 'X-MCP-Agent-Session'];
const preamble = 'This MCP server uses MCP Runtime header/session governance.';
const hints: Readonly<Record<string, string>> = {
  missing_identity: `${preamble} Direct clients must connect through the mcp-runtime adapter proxy or stdio adapter, or send an adapter-issued identity/session.`,
  missing_session: `${preamble} Direct clients must connect through the mcp-runtime adapter proxy or stdio adapter, or send an adapter-issued identity/session.`,
};

/**
 * Stands in for everything behind `mcp.<domain>`, on a free port of the loopback interface: leads a path to its server by
 * the cluster's Ingresses, judges each call by the server's rendered policy, and hands it to an MCP server that behaves as
 * the image says which the pod's kubelet stand-in has pulled.
 */
export async function startGateway(cluster: Cluster, options: GatewayOptions): Promise<Gateway> {
  const faults = new Faults();
  const calls: AnsweredCall[] = [];
  const upstreams = new Map<string, Upstream>();
  const policies = policyReader(cluster, options.propagationMs ?? 300);
  const ingresses = cached(async () => (await cluster.list(kinds.ingress)).items, freshMilliseconds);
  const upstreamOf = ({ namespace, name }: RoutedServer): Upstream | undefined => {
    // With several the oldest: an old version serves on as long as it is there.
    const [pod] = options
      .pods()
      .filter((one) => one.ready && one.namespace === namespace && one.labels.app === name)
      .sort((a, b) => a.made.localeCompare(b.made));
    if (pod === undefined) return undefined;
    const image = pod.containers.find((one) => one.name === name)?.imageLabels ?? {};
    const present = upstreams.get(pod.uid) ?? makeUpstream(name, image);
    upstreams.set(pod.uid, present);
    return present;
  };

  const answer = async (request: IncomingMessage): Promise<Reply | undefined> => {
    const { method = 'GET', url = '/' } = request;
    const path = url.replace(/\?.*/, '');
    const body = await buffer(request);
    const rpc = body.length > largest ? undefined : jsonOf(body);
    const identity = identityOf(request);
    const fault = await faults.meet({ method, path, body: rpc, as: identity.session });
    if (fault?.hang) return undefined;
    if (fault?.reply) return json(fault.reply.status, fault.reply.body, fault.reply.headers);
    const server = serverFor(await ingresses(), `mcp.${options.domain}`, path);
    if (server === undefined) return plain(404, '404 page not found\n');
    const upstream = upstreamOf(server);
    if (upstream === undefined) return plain(503, 'no available server\n');
    const began = Date.now();
    const policy = await policies(server);
    const decision = judge(policy, identity, method, path, rpc);
    const reply = decision.allowed
      ? await pass(upstream, request, body, rpc)
      : json(decision.status, denial(decision.reason));
    const events = policy === undefined ? undefined : await eventSource(cluster, server);
    if (policy !== undefined && events !== undefined) {
      const seen = {
        decision,
        identity,
        method,
        path,
        rpcMethod: textAt(rpc, 'method'),
        toolName: textAt(rpc, 'params', 'name'),
        bytesIn: body.length,
        bytesOut: Buffer.isBuffer(reply.body) ? reply.body.length : 0,
        milliseconds: Date.now() - began,
        status: reply.status,
      };
      options.events.add(gatewayEvent(policy, events.source, events.type, seen));
    }
    if (fault?.change === undefined || !Buffer.isBuffer(reply.body)) return reply;
    return { ...reply, body: Buffer.from(JSON.stringify(fault.change(jsonOf(reply.body)))) };
  };

  const server = createServer((request, response) => {
    answer(request)
      .catch((thrown: unknown) => {
        process.stderr.write(`gateway stand-in: ${request.method} ${request.url}: ${messageOf(thrown)}\n`);
        return plain(502, 'Bad Gateway');
      })
      .then(async (reply) => {
        if (reply === undefined) return;
        calls.push({ method: request.method ?? '', path: request.url ?? '', status: reply.status });
        await send(response, reply);
      })
      .catch(() => response.destroy());
  });
  const listening = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${listening.port}`,
    faults,
    calls,
    async close() {
      await listening.close();
      await Promise.all([...upstreams.values()].map((one) => one.close()));
    },
  };
}

function judge(policy: Policy | undefined, identity: Identity, method: string, path: string, rpc: unknown): Decision {
  const deny = (status: number, reason: string): Decision => ({ allowed: false, status, reason });
  if (path.includes('/.well-known/oauth-protected-resource')) return deny(404, 'oauth_not_enabled');
  if (policy === undefined) return deny(503, 'policy_unavailable');
  if (method !== 'POST') return { allowed: true, status: 200, reason: 'allowed' };
  const rpcMethod = textAt(rpc, 'method');
  if (!isRecord(rpc) || rpcMethod === '') return deny(403, 'rpc_inspection_failed');
  if (rpcMethod !== 'tools/call') return { allowed: true, status: 200, reason: 'allowed' };
  return evaluate(policy, identity, textAt(rpc, 'params', 'name'));
}

/** The body of a refusal; only those that an adapter would mend say so. */
export function denial(reason: string): Record<string, unknown> {
  if (reason === 'oauth_not_enabled') {
    const message = `${preamble} Connect through the mcp-runtime adapter proxy or stdio adapter instead of OAuth discovery.`;
    return { adapter_required: true, error: reason, message };
  }
  const message = hints[reason];
  return message === undefined
    ? { error: reason }
    : { adapter_required: true, error: reason, message, required_headers: governance };
}

async function pass(upstream: Upstream, request: IncomingMessage, body: Buffer, rpc: unknown): Promise<Reply> {
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) {
    if (typeof value === 'string' && !['connection', 'content-length', 'transfer-encoding'].includes(name)) {
      headers.set(name, value);
    }
  }
  const { method = 'GET' } = request;
  const onward = new Request(`http://upstream${request.url}`, {
    method,
    headers,
    ...(method === 'POST' ? { body: new Uint8Array(body) } : {}),
  });
  const answer = await upstream.handle(onward, method === 'POST' ? rpc : undefined);
  const isStream = answer.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  return {
    status: answer.status,
    headers: Object.fromEntries([...answer.headers].filter(([name]) => name !== 'content-length')),
    body: isStream && answer.body !== null ? answer.body : Buffer.from(await answer.arrayBuffer()),
  };
}

function identityOf({ headers }: IncomingMessage): Identity {
  const [humanId = '', agentId = '', teamId = '', session = ''] = governance.map((name) =>
    String(headers[name.toLowerCase()] ?? ''),
  );
  return { humanId, agentId, teamId, session };
}

/** Reads a server's policy from its ConfigMap, at most once in a while. */
function policyReader(cluster: Cluster, every: number): (server: RoutedServer) => Promise<Policy | undefined> {
  const known = new Map<string, () => Promise<Policy | undefined>>();
  const load = async ({ namespace, name }: RoutedServer): Promise<Policy | undefined> => {
    const found = await cluster.get<KubeObject>(kinds.configMap, { namespace, name: `${name}-gateway-policy` });
    const parsed = policySchema.safeParse(parsedJson(textAt(found, 'data', 'policy.json')));
    return parsed.success ? parsed.data : undefined;
  };
  return (server) => {
    const key = `${server.namespace}/${server.name}`;
    const policy = known.get(key) ?? cached(() => load(server), every);
    known.set(key, policy);
    return policy();
  };
}

/** What a server's events are called; undefined where the gateway has no receiver, or no key for it. */
async function eventSource(
  cluster: Cluster,
  { namespace, name }: RoutedServer,
): Promise<{ source: string; type: string } | undefined> {
  const found = await cluster.get<KubeObject>(kinds.mcpServer, { namespace, name });
  const analytics = at(found, 'spec', 'analytics');
  if (textAt(analytics, 'ingestURL') === '' || at(analytics, 'disabled') === true) return undefined;
  const key = await cluster.get<KubeObject>(kinds.secret, { namespace, name: `${name}-analytics-creds` });
  if (key === undefined) return undefined;
  return {
    source: textAt(analytics, 'source') || `${name}-gateway`,
    type: textAt(analytics, 'eventType') || 'mcp.request',
  };
}

function plain(status: number, text: string): Reply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: Buffer.from(text) };
}

function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Reply {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(body)),
  };
}

async function send(response: ServerResponse, { status, headers, body }: Reply): Promise<void> {
  response.writeHead(status, headers);
  if (Buffer.isBuffer(body)) {
    response.end(body);
    return;
  }
  response.flushHeaders();
  const reader = body.getReader();
  response.on('close', () => void reader.cancel().catch(() => undefined));
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) response.write(piece.value);
  response.end();
}
