import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { httpFetch } from './http.js';
import { startSecureServer } from './platform/testing/secure-server.js';
import { direct } from './proxy.js';
import { type ForwardProxy, startForwardProxy } from './testing/forward-proxy.js';

interface Seen {
  method: string;
  url: string;
  authorization: string | undefined;
  body: string;
}

let proxy: ForwardProxy;
let server: Server;
let port = 0;
const seen: Seen[] = [];

beforeAll(async () => {
  proxy = await startForwardProxy();
  server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    seen.push({ method, url, authorization: headers.authorization, body: await text(request) });
    const [, status = '200', location] = /^\/(\d+)(?:\?(.*))?$/.exec(url) ?? [];
    response.writeHead(Number(status), { 'set-cookie': ['a=1', 'b=2'], ...(location && { location }) });
    response.end(Number(status) === 204 || method === 'HEAD' ? undefined : `${method} ${url}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await proxy.close();
});
beforeEach(() => {
  seen.length = 0;
  proxy.asked.length = 0;
});

describe.each([
  ['directly', 'localhost'],
  ['through a proxy', 'github.example'],
])('a request %s', (_, host) => {
  const ask = (path: string, request: Parameters<typeof httpFetch>[1] = {}): Promise<Response> =>
    httpFetch(`http://${host}:${port}${path}`, request, { ...direct, http: `http://u:p@${proxy.url}` });
  it('is answered with status, headers and body', async () => {
    const answer = await ask('/200', { method: 'POST', body: 'what', headers: { authorization: 'Bearer t' } });
    expect([answer.status, await answer.text(), answer.headers.getSetCookie()]).toEqual([
      200,
      'POST /200',
      ['a=1', 'b=2'],
    ]);
    expect(seen).toEqual([{ method: 'POST', url: '/200', authorization: 'Bearer t', body: 'what' }]);
    expect(proxy.asked).toEqual(host === 'localhost' ? [] : [{ to: `${host}:${port}`, as: 'Basic dTpw' }]);
  });

  it('may have an answer without a body', async () => {
    expect((await ask('/204')).body).toBeNull();
    expect(await (await ask('/200', { method: 'HEAD' })).text()).toBe('');
  });

  it('follows a redirect, with the credentials for the same origin only', async () => {
    const headers = { authorization: 'Bearer t' };
    const here = await ask('/302?/200', { headers });
    expect(await here.text()).toBe('GET /200');
    await (
      await ask(`/307?http://${host === 'localhost' ? '127.0.0.1' : 'other.example'}:${port}/200`, { headers })
    ).text();
    expect(seen.map(({ authorization }) => authorization)).toEqual(['Bearer t', 'Bearer t', 'Bearer t', undefined]);
  });

  it('becomes a GET where a redirect says so, and stays what it is where not', async () => {
    for (const status of ['302', '303', '308'])
      await (await ask(`/${status}?/200`, { method: 'POST', body: 'b' })).text();
    expect(seen.filter(({ url }) => url === '/200').map(({ method, body }) => [method, body])).toEqual([
      ['GET', ''],
      ['GET', ''],
      ['POST', 'b'],
    ]);
  });

  it('gives a redirect as the answer, and the last one of many', async () => {
    const answer = await ask('/302?/200', { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location'), seen.length]).toEqual([302, '/200', 1]);
    await answer.text();
    const endless = await ask(`/302?/302?/302`);
    expect(endless.status).toBe(302);
    await endless.text();
  });

  it('hears a signal', async () => {
    const reason = new Error('cancelled');
    await expect(ask('/200', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});

it('fails as fetch does where nobody listens', async () => {
  await expect(httpFetch('http://127.0.0.1:1', {}, direct)).rejects.toMatchObject({
    message: 'fetch failed',
    cause: expect.anything(),
  });
});

describe.each(['http', 'https'])('%s by a proxy that hands nothing on', (scheme) => {
  const ask = (url: string): Promise<Response> =>
    httpFetch(`${scheme}://github.example`, {}, { http: url, https: url, none: '' });

  it('is told by the proxy’s fault', async () => {
    await expect(ask('http://127.0.0.1:1')).rejects.toMatchObject({ code: 'proxy-unreachable' });
    await expect(ask('socks5://127.0.0.1:1')).rejects.toMatchObject({ code: 'proxy-invalid' });
    const locked = await startForwardProxy({ user: 'me:right' });
    await expect(ask(`http://me:wrong@${locked.url}`)).rejects.toMatchObject({ code: 'proxy-authentication' });
    await locked.close();
  });
});

it('by https goes through a tunnel, with the certificates of the web', async () => {
  const web = await startSecureServer();
  const address = `https://${web.host}:${web.port}`;
  const asked = httpFetch(address, {}, { ...direct, https: `http://${proxy.url}` });
  await expect(asked).rejects.toMatchObject({
    message: 'fetch failed',
    cause: { code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) },
  });
  expect(proxy.asked).toEqual([{ to: `${web.host}:${web.port}`, as: undefined }]);
  await web.close();
});
