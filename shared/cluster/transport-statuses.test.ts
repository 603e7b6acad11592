import type { IncomingMessage } from 'node:http';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type SecureServer, startSecureServer } from '../platform/testing/secure-server.js';
import { openTransport, type Transport } from './transport.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function world(deadline = 20_000): Promise<{ server: SecureServer; transport: Transport }> {
  const server = await startSecureServer();
  open.push(server);
  const { host: servername, port, reach } = server;
  const credentials = { server: `https://127.0.0.1:${port}`, context: 'test', headers: { 'x-own': 'h' }, secrets: [] };
  const tls = { ca: reach.caBundle, servername };
  const transport = openTransport({ ...credentials, tls }, { userAgent: 'test', deadline });
  open.push(transport);
  return { server, transport };
}

const path = '/api/v1/secrets';
const status = (reason: string): object => ({ kind: 'Status', reason, message: 'm' });

describe('an answer', () => {
  it.each([429, 500, 502, 503, 504])('of %i is asked for again, until it is another one', async (code) => {
    const { server, transport } = await world();
    let left = 1;
    server.answer = () => (left-- > 0 ? { status: code, body: status('Busy') } : { status: 200, body: { fine: true } });
    expect(JSON.parse((await transport.call({ method: 'GET', path })).body)).toEqual({ fine: true });
    expect(transport.calls).toBe(2);
    expect(transport.serverTime()).toBeInstanceOf(Date);
  });

  it.each([300, 400, 401, 403, 404, 409, 410, 422, 501])('of %i is final', async (code) => {
    const { server, transport } = await world();
    server.answer = () => ({ status: code, body: status('No') });
    await expect(transport.call({ method: 'GET', path: `${path}?limit=1` })).rejects.toMatchObject({
      status: code,
      reason: 'No',
      detail: 'm',
      message: `GET ${path}: ${code} No`,
    });
    expect(transport.calls).toBe(1);
  });

  it('that names a time to come back is not asked for again before it', async () => {
    const [hasty, patient] = await Promise.all([world(), world()]);
    hasty.server.answer = () => ({ status: 503, body: status('Busy') });
    patient.server.answer = () => ({ status: 503, headers: { 'retry-after': '15' }, body: status('Busy') });
    const cancel = new AbortController();
    const reason = new Error('enough');
    const waiting = patient.transport.call({ method: 'GET', path, signal: cancel.signal });
    // Long enough for five tries of the other one.
    await expect(hasty.transport.call({ method: 'GET', path })).rejects.toMatchObject({ status: 503 });
    expect([hasty.transport.calls, patient.transport.calls]).toEqual([5, 1]);
    cancel.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it('that stays busy is given up after five times', async () => {
    const { server, transport } = await world();
    server.answer = () => ({ status: 503, body: status('Busy') });
    await expect(transport.call({ method: 'GET', path })).rejects.toMatchObject({ code: 'cluster-unavailable' });
    expect(transport.calls).toBe(5);
  });

  it('is to a request as it was given', async () => {
    const { server, transport } = await world();
    server.answer = () => ({ status: 200, body: {} });
    await transport.call({ method: 'POST', path, body: '{"a":1}' });
    await transport.call({ method: 'PATCH', path, body: '{}', contentType: 'application/json-patch+json' });
    expect(server.asked.map(({ method, url, headers, body }) => [method, url, headers['content-type'], body])).toEqual([
      ['POST', path, 'application/json', '{"a":1}'],
      ['PATCH', path, 'application/json-patch+json', '{}'],
    ]);
    expect(server.asked[0]?.headers).toMatchObject({ 'x-own': 'h', 'user-agent': 'test', accept: 'application/json' });
  });

  it.each([300, 403, 410])('of a stream that is refused with %i says so', async (code) => {
    const { server, transport } = await world();
    server.answer = () => ({ status: code, body: status('No') });
    const lines = transport.lines({ method: 'GET', path: `${path}?watch=true` });
    await expect(lines.next()).rejects.toMatchObject({ status: code, message: `watch ${path}: ${code} No` });
  });

  it('to a call that was cancelled is its reason', async () => {
    const { server, transport } = await world();
    server.answer = () => ({ status: 503, body: status('Busy') });
    const reason = new Error('cancelled');
    await expect(transport.call({ method: 'GET', path, signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    await expect(transport.lines({ method: 'GET', path, signal: AbortSignal.abort(reason) }).next()).rejects.toBe(
      reason,
    );
  });

  it('of a stream is its lines, without those that are empty, until its end', async () => {
    const { server, transport } = await world();
    server.answer = () => ({ status: 200, body: '{"a":1}\n\n{"b":2}\n' });
    const lines: string[] = [];
    for await (const line of transport.lines({ method: 'GET', path })) lines.push(line);
    expect([lines, transport.calls]).toEqual([['{"a":1}', '{"b":2}'], 1]);
  });

  it('of a stream that breaks off is told as a call’s', async () => {
    const { server, transport } = await world();
    server.instead = (_, response) => {
      response.write('{"a":1}\n', () => response.destroy());
      return true;
    };
    const lines = transport.lines({ method: 'GET', path });
    expect((await lines.next()).value).toBe('{"a":1}');
    await expect(lines.next()).rejects.toMatchObject({ code: 'cluster-unreachable' });
  });
});

describe('a WebSocket', () => {
  it('is asked for as a call is, over HTTP/1.1 and without its form of answers', async () => {
    const { server, transport } = await world();
    const asked = new Promise<IncomingMessage>((resolve) => {
      server.instead = (request) => {
        resolve(request);
        request.socket.destroy();
        return true;
      };
    });
    const socket = await transport.webSocket('/api/v1/x', 'v4.channel.k8s.io');
    socket.addEventListener('error', () => undefined);
    const { url, headers, httpVersion } = await asked;
    expect([url, httpVersion, headers.upgrade, headers['sec-websocket-protocol'], headers['x-own']]).toEqual([
      '/api/v1/x',
      '1.1',
      'websocket',
      'v4.channel.k8s.io',
      'h',
    ]);
    expect(headers.accept ?? '').not.toContain('json');
    expect(transport.calls).toBe(1);
  });
});
