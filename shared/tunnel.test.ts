import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import {
  type KeyPair,
  makeCertificateAuthority,
  makeServerCertificate,
} from '../lab/platform/certificate-authority.js';
import { isPassingProxy } from './proxy-error.js';
import { startForwardProxy } from './testing/forward-proxy.js';
import { openTunnel } from './tunnel.js';

const open: (() => unknown)[] = [];
let ca: KeyPair;
beforeAll(async () => {
  ca = await makeCertificateAuthority();
});
afterEach(async () => {
  for (const close of open.splice(0)) await close();
});

/** A TCP server on the loopback interface. @returns its port */
async function listening(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined));
    onConnection(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const echo = (): Promise<number> => listening((socket) => socket.pipe(socket));

async function heard(proxy: string, port: number, options: Parameters<typeof openTunnel>[2] = {}): Promise<string> {
  const socket = await openTunnel(proxy, { host: 'name.example', port }, options);
  socket.write('hello');
  const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(5_000) })) as [Buffer];
  socket.destroy();
  return data.toString('utf8');
}

describe('a tunnel', () => {
  it.each([
    ['without a scheme’s slash at its end', (url: string) => `http://${url}`, undefined],
    ['with one', (url: string) => `http://${url}/`, undefined],
    ['with a user', (url: string) => `http://me:p%40ss@${url}`, 'me:p@ss'],
    ['with a password that is no percent-encoding', (url: string) => `http://me:100%zz@${url}`, 'me:100%zz'],
    ['with a user alone', (url: string) => `http://me@${url}`, 'me:'],
  ])('leads through an address %s', async (_, addressOf, as) => {
    const proxy = await startForwardProxy();
    open.push(proxy.close);
    const port = await echo();
    expect(await heard(addressOf(proxy.url), port)).toBe('hello');
    const wanted = as && `Basic ${Buffer.from(as).toString('base64')}`;
    expect(proxy.asked).toEqual([{ to: `name.example:${port}`, as: wanted }]);
  });

  it('leads through a proxy that is spoken to by https, and is who its certificate says', async () => {
    const { certificate: cert, key } = await makeServerCertificate(['localhost'], ca);
    const proxy = await startForwardProxy({ tls: { cert, key } });
    open.push(proxy.close);
    const port = await echo();
    const address = `https://${proxy.url.replace('127.0.0.1', 'localhost')}`;
    expect(await heard(address, port, { caBundle: ca.certificate })).toBe('hello');
    await expect(heard(address, port)).rejects.toMatchObject({ code: 'proxy-untrusted' });
    const other = address.replace('localhost', '127.0.0.1');
    await expect(heard(other, port, { caBundle: ca.certificate })).rejects.toMatchObject({ code: 'proxy-untrusted' });
    await expect(heard(address.replace('https', 'http'), port)).rejects.toMatchObject({
      code: expect.stringMatching(/^proxy-(?:invalid|unreachable)$/),
    });
  });

  it('writes an IPv6 address in brackets, and gives what came with the answer', async () => {
    let asked = '';
    const port = await listening((socket) => {
      socket.once('data', (data) => {
        asked = data.toString('utf8').split('\r\n')[0] ?? '';
        socket.write('HTTP/1.1 200 Fine\r\n\r\nearly');
      });
    });
    const socket = await openTunnel(`http://127.0.0.1:${port}`, { host: '2001:db8::1', port: 443 });
    const [data] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    expect([asked, data.toString('utf8')]).toEqual(['CONNECT [2001:db8::1]:443 HTTP/1.1', 'early']);
  });

  it('hears an abort before and while it waits', async () => {
    const port = await listening(() => undefined);
    const proxy = `http://127.0.0.1:${port}`;
    const reason = new Error('cancelled');
    await expect(heard(proxy, 443, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = heard(proxy, 443, { signal: controller.signal });
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});

describe('a proxy that makes no tunnel', () => {
  it.each([
    [403, 'proxy-refused', 'allow CONNECT to name.example:443', false],
    [404, 'proxy-refused', 'NO_PROXY', false],
    [407, 'proxy-authentication', 'HTTPS_PROXY', false],
    [500, 'proxy-gateway', 'DNS record', true],
    [502, 'proxy-gateway', 'NO_PROXY', true],
    [504, 'proxy-gateway', 'answers', true],
  ])('by status %i is told as %s', async (status, code, next, isPassing) => {
    const proxy = await startForwardProxy({ leadsTo: () => ({ status }) });
    open.push(proxy.close);
    const error: unknown = await heard(`http://u:secret-pass@${proxy.url}`, 443).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(proxy.url),
      why: `it answers ${status} No`,
      next: expect.stringContaining(next),
    });
    expect(JSON.stringify([String(error), error])).not.toContain('secret-pass');
    expect(isPassingProxy(error)).toBe(isPassing);
  });

  it('as nobody listens, or it hangs up, is unreachable, and may be back soon', async () => {
    const port = await listening((socket) => socket.once('data', () => socket.destroy()));
    for (const proxy of ['http://127.0.0.1:1', `http://127.0.0.1:${port}`, 'http://proxy.mcprt.invalid:3128']) {
      const error: unknown = await heard(proxy, 443).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'proxy-unreachable' });
      expect(isPassingProxy(error)).toBe(true);
    }
  });

  it('as it is none, is told so', async () => {
    const port = await listening((socket) => socket.once('data', () => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
    await expect(heard(`http://127.0.0.1:${port}`, 443)).rejects.toMatchObject({ code: 'proxy-invalid' });
  });

  it.each(['socks5://u:p@127.0.0.1:1080', 'socks5h://127.0.0.1:1080', 'socks4://127.0.0.1', 'socks://127.0.0.1'])(
    'as %j speaks another language, is told so, with a way forward',
    async (proxy) => {
      await expect((async () => heard(proxy, 443))()).rejects.toMatchObject({
        code: 'proxy-invalid',
        message: 'the proxy that is named is a SOCKS proxy',
        next: expect.stringContaining('privoxy'),
      });
    },
  );

  it.each(['ftp://127.0.0.1:1080', 'no address', 'http://', '://x'])('as %j is no address for one', async (proxy) => {
    await expect((async () => heard(proxy, 443))()).rejects.toMatchObject({ code: 'proxy-invalid' });
  });
});
