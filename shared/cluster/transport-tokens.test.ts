import { afterEach, describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { type SecureServer, startSecureServer } from '../platform/testing/secure-server.js';
import type { Credentials } from './credentials.js';
import type { TokenSource } from './token-source.js';
import { openTransport, type Transport } from './transport.js';

const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

const path = '/api/v1/secrets';

/** A source of the tokens t1, t2, …; which of them a refusal is forgotten for. */
function tokens(isOld: (token: string) => boolean): TokenSource & { refusals: string[] } {
  let number = 1;
  const refusals: string[] = [];
  return {
    refusals,
    current: async () => `t${number}`,
    refused(token) {
      refusals.push(token);
      if (!isOld(token)) return false;
      number += 1;
      return true;
    },
  };
}

/** An API server that takes one token only. */
async function world(
  good: string,
  more: Partial<Credentials>,
): Promise<{ server: SecureServer; transport: Transport }> {
  const server = await startSecureServer();
  open.push(server);
  server.answer = ({ headers }) =>
    headers.authorization === `Bearer ${good}`
      ? { status: 200, body: {} }
      : { status: 401, body: { kind: 'Status', reason: 'No' } };
  const { host: servername, port, reach } = server;
  const transport = openTransport(
    {
      server: `https://127.0.0.1:${port}`,
      context: 'test',
      headers: {},
      secrets: [],
      tls: { ca: reach.caBundle, servername },
      ...more,
    },
    { userAgent: 'test', deadline: 20_000 },
  );
  open.push(transport);
  return { server, transport };
}

const sent = ({ asked }: SecureServer): unknown[] => asked.map(({ headers }) => headers.authorization);
const explainRefusal = (token: string): McprtError =>
  new McprtError('identity-refused', { what: `not ${token}`, why: 'y', next: 'n' });

describe('a token that ends', () => {
  it('is sent with each call', async () => {
    const source = tokens(() => true);
    const { server, transport } = await world('t1', { tokens: source });
    await transport.call({ method: 'GET', path });
    expect((await transport.call({ method: 'GET', path })).status).toBe(200);
    expect([sent(server), source.refusals]).toEqual([['Bearer t1', 'Bearer t1'], []]);
  });

  it('is made anew once where it is refused and may have ended, and the call goes on', async () => {
    const { server, transport } = await world('t2', { tokens: tokens(() => true), explainRefusal });
    expect((await transport.call({ method: 'POST', path, body: '{}' })).status).toBe(200);
    expect(sent(server)).toEqual(['Bearer t1', 'Bearer t2']);
    expect(server.asked.map(({ method, body }) => [method, body])).toEqual([
      ['POST', '{}'],
      ['POST', '{}'],
    ]);
    expect(transport.calls).toBe(2);
  });

  it('that is refused again is no reason for a third, and what it means is told of the one that was sent last', async () => {
    const { server, transport } = await world('none', { tokens: tokens(() => true), explainRefusal });
    const refusal = { code: 'identity-refused', message: expect.stringContaining('not t2') };
    await expect(transport.call({ method: 'GET', path })).rejects.toMatchObject(refusal);
    expect(sent(server)).toEqual(['Bearer t1', 'Bearer t2']);
  });

  it('that is too new to have ended is refused for what it says', async () => {
    const { server, transport } = await world('t2', { tokens: tokens(() => false), explainRefusal });
    const refusal = { code: 'identity-refused', message: expect.stringContaining('not t1') };
    await expect(transport.call({ method: 'GET', path })).rejects.toMatchObject(refusal);
    await expect(transport.lines({ method: 'GET', path }).next()).rejects.toMatchObject({ code: 'identity-refused' });
    expect(sent(server)).toEqual(['Bearer t1', 'Bearer t1']);
  });

  it('is refused as the API server says where nobody can tell more', async () => {
    const { transport } = await world('none', { tokens: tokens(() => false) });
    await expect(transport.call({ method: 'GET', path })).rejects.toMatchObject({ status: 401, reason: 'No' });
  });

  it('is not what a refusal of another kind is about', async () => {
    const source = tokens(() => true);
    const { server, transport } = await world('t1', { tokens: source, explainRefusal });
    server.answer = () => ({ status: 403, body: { kind: 'Status', reason: 'Forbidden' } });
    await expect(transport.call({ method: 'GET', path })).rejects.toMatchObject({ status: 403 });
    expect([server.asked.length, source.refusals]).toEqual([1, []]);
  });

  it('is all that a refusal can be explained by: without one the API server has the word', async () => {
    const { server, transport } = await world('t1', { headers: { authorization: 'Basic x' }, explainRefusal });
    await expect(transport.call({ method: 'GET', path })).rejects.toMatchObject({ status: 401, reason: 'No' });
    expect(sent(server)).toEqual(['Basic x']);
  });
});
