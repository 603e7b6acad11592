import { ReadableStream as NodeStream } from 'node:stream/web';
import { ProxyAgent } from 'undici';
import { type Proxies, proxyFor } from './proxy.js';

/** What is asked of a server that anybody may ask: GitHub, the web. */
export interface HttpRequest {
  method?: string;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** `manual` gives a redirect as the answer. */
  redirect?: 'follow' | 'manual';
  signal?: AbortSignal;
}

const mostRedirects = 5;
/** One for each proxy, as it keeps connections; idle ones hold no process up. */
const agents = new Map<string, ProxyAgent>();

/**
 * Asks over HTTP as `fetch` does, which knows no proxy: through the one that is for this address, or directly.
 *
 * @throws what `fetch` throws: a TypeError with a cause, or the signal's reason
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
  const { method = 'GET', headers = {}, body, signal } = request;
  if (proxy === undefined) {
    const plain = { method, headers, redirect: 'manual' as const, ...(signal && { signal }) };
    return fetch(url, { ...plain, ...(body !== undefined && { body: body as string }) });
  }
  try {
    const agent = agents.get(proxy) ?? new ProxyAgent(proxy);
    agents.set(proxy, agent);
    const answer = await agent.request({
      origin: url.origin,
      path: `${url.pathname}${url.search}`,
      method: method as 'GET',
      headers,
      ...(body !== undefined && { body }),
      ...(signal && { signal }),
    });
    const given = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) {
      for (const one of [value ?? []].flat()) given.append(name, one);
    }
    const hasBody = method !== 'HEAD' && ![204, 205, 304].includes(answer.statusCode);
    if (!hasBody) await answer.body.dump();
    const stream = hasBody ? (NodeStream.from(answer.body) as ReadableStream<Uint8Array>) : null;
    return new Response(stream, { status: answer.statusCode, headers: given });
  } catch (cause) {
    signal?.throwIfAborted();
    throw new TypeError('fetch failed', { cause });
  }
}
