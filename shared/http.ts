import { ReadableStream as NodeStream } from 'node:stream/web';
import { Agent, type Dispatcher, ProxyAgent } from 'undici';
import { McprtError } from './errors.js';
import { type Proxies, proxyFor } from './proxy.js';
import { proxyAddress, proxyFailure, proxyRefusal } from './proxy-error.js';
import { trusted } from './trust.js';
import { tunnelConnector } from './tunnel.js';

/** What is asked of a server that anybody may ask: GitHub, the web. */
export interface HttpRequest {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** `manual` gives a redirect as the answer. */
  redirect?: 'follow' | 'manual';
  /** PEM of further CAs to trust. */
  caBundle?: string;
  signal?: AbortSignal;
}

const mostRedirects = 5;
/** One for each proxy, scheme and CA, as it keeps connections; idle ones hold no process up. */
const agents = new Map<string, Dispatcher>();

/**
 * Asks over HTTP as `fetch` does, which knows no proxy: through the one that is for this address, or directly.
 *
 * @throws what `fetch` throws: a TypeError with a cause, or the signal's reason; McprtError `proxy-…`
 */
export async function httpFetch(address: string, request: HttpRequest, proxies: Proxies): Promise<Response> {
  let [url, own] = [new URL(address), request];
  for (let redirects = 0; ; redirects++) {
    const answer = await exchange(url, own, proxies);
    const location = answer.headers.get('location');
    const isRedirect = [301, 302, 303, 307, 308].includes(answer.status) && location !== null;
    if (!isRedirect || request.redirect === 'manual' || redirects === mostRedirects) return answer;
    await answer.body?.cancel();
    const next = new URL(location, url);
    own = redirected(own, { status: answer.status, isForeign: next.origin !== url.origin });
    url = next;
  }
}

/** Another origin gets no credentials. */
function redirected(request: HttpRequest, { status, isForeign }: { status: number; isForeign: boolean }): HttpRequest {
  const { method = 'GET', headers = {}, body, ...more } = request;
  const isRead = status === 303 || (method === 'POST' && status < 303);
  const kept = Object.entries(headers).filter(([name]) => !(isForeign && /^(?:authorization|cookie)$/i.test(name)));
  return {
    ...more,
    method: isRead && method !== 'HEAD' ? 'GET' : method,
    headers: Object.fromEntries(kept),
    ...(body !== undefined && !isRead && { body }),
  };
}

async function exchange(url: URL, request: HttpRequest, proxies: Proxies): Promise<Response> {
  const proxy = proxyFor(url, proxies);
  const { method = 'GET', headers = {}, body, signal, caBundle = '' } = request;
  if (proxy === undefined && caBundle === '') {
    const plain = { method, headers, redirect: 'manual' as const, ...(signal && { signal }) };
    return fetch(url, { ...plain, ...(body !== undefined && { body: body as string }) });
  }
  const isSecure = url.protocol === 'https:';
  try {
    const answer = await agentFor(proxy, isSecure, caBundle).request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as 'GET',
      headers,
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
    const given = new Headers();
    for (const [key, value] of Object.entries(answer.headers)) {
      for (const one of [value ?? []].flat()) given.append(key, one);
    }
    const hasBody = method !== 'HEAD' && ![204, 205, 304].includes(answer.statusCode);
    if (!hasBody) await answer.body.dump();
    const stream = hasBody ? (NodeStream.from(answer.body) as ReadableStream<Uint8Array>) : null;
    return new Response(stream, { status: answer.statusCode, headers: given });
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof McprtError) throw cause;
    if (isSecure || proxy === undefined) throw new TypeError('fetch failed', { cause });
    const { name } = proxyAddress(proxy);
    // undici has a word for it, and no code.
    const asksForUser = cause instanceof Error && cause.message.includes('(407)');
    throw asksForUser ? proxyRefusal(name, url.host, 407, '') : proxyFailure(name, cause);
  }
}

/** What is asked by https goes through a tunnel, and what is asked by http is handed to the proxy, as many allow no other. */
function agentFor(proxy: string | undefined, isSecure: boolean, caBundle: string): Dispatcher {
  if (proxy !== undefined) proxyAddress(proxy);
  const key = `${isSecure} ${proxy ?? ''} ${caBundle}`;
  const known = agents.get(key);
  if (known !== undefined) return known;
  const tls = { allowH2: false, ...(caBundle === '' ? {} : { ca: trusted(caBundle) }) };
  const made =
    proxy === undefined
      ? new Agent({ connect: tls })
      : isSecure
        ? new Agent({ connect: tunnelConnector(proxy, tls) })
        : new ProxyAgent({ uri: proxy, proxyTunnel: false });
  agents.set(key, made);
  return made;
}
