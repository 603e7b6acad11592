import { createServer, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type SecureServer, startSecureServer } from './testing/secure-server.js';
import { openWeb, type Web, WebError, type WebRequest } from './web.js';

let server: SecureServer;
let closers: (() => unknown)[];

beforeEach(async () => {
  server = await startSecureServer();
  closers = [() => server.close()];
});

afterEach(async () => {
  for (const close of closers) await close();
});

const ask = (more: Partial<WebRequest> = {}, web: Web = server.web) =>
  web.ask({ method: 'GET', host: server.host, path: '/', signal: new AbortController().signal, ...more });

async function failure(attempt: Promise<unknown>): Promise<WebError> {
  const error = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof WebError)) throw new Error(`no WebError: ${String(error)}`);
  return error;
}

function opened(options: Parameters<typeof openWeb>[0]): Web {
  const web = openWeb(options);
  closers.push(() => web.close());
  return web;
}

/** A server that speaks no HTTP over TLS. */
async function plain(onConnection: (socket: Socket) => void): Promise<number> {
  const listener = createServer(onConnection);
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  closers.push(() => listener.close());
  const address = listener.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const leadsTo = (port: number) => ({
  ...server.reach,
  overrides: [{ host: server.host, port: 443, address: '127.0.0.1', toPort: port }],
});

describe('an exchange with a public name', () => {
  it('asks under the name, with body and headers, and gives the whole answer', async () => {
    server.answer = ({ body }) => ({ status: 201, headers: { 'x-own': 'yes' }, body: `got ${body}` });
    const answer = await ask({ method: 'POST', path: '/a?b=1', body: 'größer', headers: { accept: 'text/plain' } });
    expect(answer).toMatchObject({ status: 201, text: 'got größer' });
    expect(answer.headers['x-own']).toBe('yes');
    expect(server.asked).toMatchObject([{ method: 'POST', url: '/a?b=1', body: 'größer' }]);
    expect(server.asked[0]?.headers).toMatchObject({ host: server.host, accept: 'text/plain', 'content-length': '8' });
  });

  it('sends a stream of unknown length as it comes', async () => {
    server.answer = ({ body }) => ({ status: 200, body });
    expect((await ask({ method: 'POST', body: Readable.from(['one ', 'two']) })).text).toBe('one two');
    expect(server.asked[0]?.headers['transfer-encoding']).toBe('chunked');
  });

  it('passes the failure of a body’s source on instead of waiting for the rest', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield 'half';
      throw new Error('the file is gone');
    }
    await expect(ask({ method: 'POST', body: Readable.from(broken()) })).rejects.toThrow('the file is gone');
  });

  it('ends at its deadline, and with a cancel, also where the server switches to another protocol', async () => {
    server.instead = ({ socket }) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\n');
      return true;
    };
    expect(await failure(ask({ deadline: 200 }))).toMatchObject({ layer: 'timeout' });
    await expect(ask({ signal: AbortSignal.timeout(200) })).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  it('takes an answer of any status for an answer', async () => {
    server.answer = () => ({ status: 503, body: 'no pod' });
    expect(await ask()).toMatchObject({ status: 503, text: 'no pod' });
  });

  it('follows no redirect', async () => {
    server.answer = () => ({ status: 302, headers: { location: 'https://elsewhere.example.com/' } });
    expect((await ask()).headers.location).toBe('https://elsewhere.example.com/');
    expect(server.asked).toHaveLength(1);
  });
});

describe('an exchange that comes to nothing', () => {
  it('fails in DNS for a name that has no address', async () => {
    const error = await failure(ask({ host: 'nowhere.invalid' }));
    expect(error).toMatchObject({ layer: 'dns', asked: 'GET https://nowhere.invalid/' });
  });

  it('fails in TCP where nobody listens', async () => {
    const port = await plain(() => undefined);
    await closers.pop()?.();
    expect((await failure(ask({}, opened(leadsTo(port))))).layer).toBe('tcp');
  });

  it('fails in TCP when the connection is cut in the middle of an answer', async () => {
    server.instead = (_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
      return true;
    };
    expect((await failure(ask())).layer).toBe('tcp');
  });

  it('fails in TLS for a certificate of a CA that is not trusted', async () => {
    expect((await failure(ask({}, opened({ ...server.reach, caBundle: '' })))).layer).toBe('tls');
    expect(server.asked).toEqual([]);
  });

  it('fails in TLS for a certificate of another name, and sends nothing', async () => {
    const other = await startSecureServer('other.example.com');
    closers.push(() => other.close());
    const error = await failure(ask({ headers: { authorization: 'secret' } }, other.web));
    expect([error.layer, other.asked]).toEqual(['tls', []]);
  });

  it('fails in TLS where another protocol is spoken', async () => {
    const port = await plain((socket) => void socket.on('error', () => undefined).end('SSH-2.0-OpenSSH\r\n'));
    expect((await failure(ask({}, opened(leadsTo(port))))).layer).toBe('tls');
  });

  it('is given up at its deadline, without the answer and in the middle of one', async () => {
    server.instead = () => true;
    expect((await failure(ask({ deadline: 50 }))).layer).toBe('timeout');
    server.instead = (_, response) => {
      response.writeHead(200).write('half');
      return true;
    };
    expect((await failure(ask({ deadline: 50 }))).layer).toBe('timeout');
  });

  it('is given up when an answer is longer than any of the platform’s', async () => {
    server.instead = (_, response) => {
      response.writeHead(200);
      response.end('x'.repeat(5 * 1024 * 1024));
      return true;
    };
    expect((await failure(ask())).message).toBe('the answer does not end');
    server.instead = undefined;
    server.answer = () => ({ status: 200, body: 'x'.repeat(4 * 1024 * 1024) });
    expect((await ask()).text).toHaveLength(4 * 1024 * 1024);
  });

  it('throws why it was cancelled, before and while it is under way', async () => {
    const reason = new Error('the job was cancelled');
    await expect(ask({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(server.asked).toEqual([]);
    const controller = new AbortController();
    server.instead = () => {
      controller.abort(reason);
      return true;
    };
    await expect(ask({ signal: controller.signal })).rejects.toBe(reason);
  });

  it('shows neither headers nor body of what was asked', async () => {
    server.instead = () => true;
    const asked = { method: 'POST', body: 'password', headers: { authorization: 'secret' }, deadline: 50 };
    const error = await failure(ask(asked));
    expect(JSON.stringify([error.asked, error.message, error])).not.toMatch(/password|secret/);
  });
});
