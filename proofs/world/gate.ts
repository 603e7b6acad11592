import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { LabState } from '../../lab/driver/lab.js';
import { listenOnLoopback } from '../../lab/driver/loopback.js';

/** What happens to a write on its way: it can be stopped before the cluster sees it, or after. */
export interface GateHooks {
  /** Before the n-th write is passed on (n from 1), once a promise is kept; with `drop`, the cluster never sees it. */
  beforeWrite?: (n: number, what: string) => 'drop' | undefined | Promise<undefined>;
  /** After the cluster has answered the n-th write, before the client learns of it; a promise is waited for. */
  afterWrite?: (n: number, what: string) => void | Promise<void>;
  /** Round trip that is added to every request, in ms. */
  delay?: number;
}

/** A TLS proxy in front of a lab's API server, on loopback, that counts what passes. */
export interface Gate {
  /** Text of a kubeconfig that leads through it. */
  kubeconfig: string;
  requests(): number;
  /** How much the cluster has answered. */
  bytes(): number;
  /** When the first request after a reset came, on performance.now()'s clock. */
  firstRequestAt(): number | undefined;
  writes(): string[];
  reset(hooks: GateHooks): void;
  close(): Promise<void>;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data'?: string } }[];
}

/** Headers that belong to one connection and are not passed on (RFC 9113 section 8.2.2). */
const hopByHop = new Set([
  'host',
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
  'proxy-connection',
]);

/** Opens a gate in front of a lab's API server. It shows the API server's own certificate, and speaks HTTP/2 as it does. */
export async function openGate(state: LabState): Promise<Gate> {
  const config = parse(readFileSync(state.kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = config.clusters[0]?.cluster;
  if (cluster === undefined) throw new Error('the kubeconfig names no cluster');
  const target = new URL(cluster.server);
  const agent = new Agent({ keepAlive: true, ca: Buffer.from(cluster['certificate-authority-data'] ?? '', 'base64') });
  let hooks: GateHooks = {};
  let count = 0;
  let bytes = 0;
  let first: number | undefined;
  let writes: string[] = [];

  const pass = async (incoming: Http2ServerRequest, outgoing: Http2ServerResponse): Promise<void> => {
    count += 1;
    first ??= performance.now();
    const what = `${incoming.method} ${incoming.url.split('?')[0]}`;
    // A dry run changes nothing, and how often the brake is probed differs from run to run.
    const isWrite = incoming.method !== 'GET' && !/selfsubject/.test(what) && !incoming.url.includes('dryRun=All');
    const n = isWrite ? writes.push(what) : 0;
    if (hooks.delay) await sleep(hooks.delay / 2);
    if (isWrite && (await hooks.beforeWrite?.(n, what)) === 'drop') {
      outgoing.stream?.close?.();
      return;
    }
    const headers = Object.fromEntries(
      Object.entries(incoming.headers).filter(([name]) => !name.startsWith(':') && !hopByHop.has(name)),
    );
    const upstream = request({
      host: target.hostname,
      port: target.port,
      path: incoming.url,
      method: incoming.method,
      headers,
      agent,
    });
    upstream.on('error', () => outgoing.stream?.close?.());
    outgoing.on('close', () => upstream.destroy());
    incoming.pipe(upstream);
    const answer = await new Promise<IncomingMessage>((resolve) => upstream.once('response', resolve));
    if (isWrite) await hooks.afterWrite?.(n, what);
    if (hooks.delay) await sleep(hooks.delay / 2);
    if (outgoing.destroyed || outgoing.stream?.destroyed) return;
    outgoing.writeHead(
      answer.statusCode ?? 502,
      Object.fromEntries(Object.entries(answer.headers).filter(([name]) => !hopByHop.has(name))),
    );
    answer.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    answer.pipe(outgoing);
  };
  const tls = join(state.folder, 'apiserver');
  const server = createSecureServer(
    { allowHTTP1: true, cert: readFileSync(join(tls, 'apiserver.crt')), key: readFileSync(join(tls, 'apiserver.key')) },
    (incoming, outgoing) => void pass(incoming, outgoing),
  );
  const sessions = new Set<{ destroy(): void }>();
  server.on('session', (session) => sessions.add(session));
  server.on('secureConnection', (socket) => sessions.add(socket));
  const { port, close } = await listenOnLoopback(server);
  const through = {
    ...config,
    clusters: [{ ...config.clusters[0], cluster: { ...cluster, server: `https://127.0.0.1:${port}` } }],
  };
  return {
    kubeconfig: stringify(through),
    requests: () => count,
    bytes: () => bytes,
    firstRequestAt: () => first,
    writes: () => writes,
    reset(next) {
      hooks = next;
      count = 0;
      bytes = 0;
      first = undefined;
      writes = [];
    },
    async close() {
      for (const session of sessions) session.destroy();
      await close();
      agent.destroy();
    },
  };
}
