import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type SecureServer, startSecureServer } from '../shared/platform/testing/secure-server.js';
import { direct } from '../shared/proxy.js';
import { startForwardProxy } from '../shared/testing/forward-proxy.js';
import { checkServer } from './server-check.js';

let server: SecureServer;
let other: SecureServer;
beforeAll(async () => {
  [server, other] = await Promise.all([startSecureServer('localhost'), startSecureServer('localhost')]);
});
afterAll(async () => {
  await Promise.all([server.close(), other.close()]);
});

const refused = (what: string, way: string): unknown =>
  expect.objectContaining({
    code: 'init-server',
    message: expect.stringContaining(what),
    next: expect.stringContaining(way),
  });

describe('the address of an API server', () => {
  it('goes by the proxy of the environment, which alone knows the name', async () => {
    const proxy = await startForwardProxy();
    const named = await startSecureServer('api.example');
    const proxies = { ...direct, https: `http://${proxy.url}` };
    const checked = { address: `https://api.example:${named.port}`, authority: named.reach.caBundle, name: undefined };
    await checkServer({ ...checked, proxies });
    expect(proxy.asked).toHaveLength(1);
    await proxy.close();
    await expect(checkServer({ ...checked, proxies })).rejects.toMatchObject({ code: 'proxy-unreachable' });
    await named.close();
  });

  it('is taken when its certificate is of the CA and for that name, or for the one of the kubeconfig', async () => {
    const authority = server.reach.caBundle;
    await checkServer({ address: `https://localhost:${server.port}`, authority, name: undefined, proxies: direct });
    await checkServer({ address: `https://127.0.0.1:${server.port}`, authority, name: 'localhost', proxies: direct });
  });

  it('is refused with another CA, and where nobody has given one', async () => {
    const address = `https://localhost:${server.port}`;
    const way = 'the kubeconfig of the cluster that is there';
    await expect(
      checkServer({ address, authority: other.reach.caBundle, name: undefined, proxies: direct }),
    ).rejects.toEqual(refused('is not of the CA', way));
    await expect(checkServer({ address, authority: undefined, name: undefined, proxies: direct })).rejects.toEqual(
      refused('is not of the CA', way),
    );
  });

  it('is refused with a name that is not in the certificate', async () => {
    const authority = server.reach.caBundle;
    const address = `https://127.0.0.1:${server.port}`;
    await expect(checkServer({ address, authority, name: undefined, proxies: direct })).rejects.toEqual(
      refused('is not for 127.0.0.1', 'put 127.0.0.1 into'),
    );
    await expect(checkServer({ address, authority, name: 'api.example.com', proxies: direct })).rejects.toEqual(
      refused('is not for api.example.com', 'put api.example.com into'),
    );
  });

  it('is refused where nobody listens, and where no TLS is spoken', async () => {
    const plain = createServer((socket) => socket.resume().end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve));
    const bound = plain.address();
    const address = `https://127.0.0.1:${typeof bound === 'object' ? bound?.port : ''}`;
    await expect(checkServer({ address, authority: undefined, name: undefined, proxies: direct })).rejects.toEqual(
      refused('no TLS could be set up', '--skip-server-check'),
    );
    await new Promise((resolve) => plain.close(resolve));
    await expect(checkServer({ address, authority: undefined, name: undefined, proxies: direct })).rejects.toEqual(
      refused('nobody answers', '--skip-server-check'),
    );
  });
});
