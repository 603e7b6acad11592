import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { expect, test } from '@jest/globals';
import { startSecureServer } from './platform/testing/secure-server.js';
import { openWeb } from './platform/web.js';

test('what is added to Node’s own CAs, as by NODE_EXTRA_CA_CERTS, is trusted for public names too', async () => {
  const server = await startSecureServer();
  const before = getCACertificates('default');
  const ask = async (): Promise<number> => {
    const web = openWeb({ ...server.reach, caBundle: '' });
    const asked = { method: 'GET', host: server.host, path: '/', signal: new AbortController().signal };
    return web
      .ask(asked)
      .then(
        ({ status }) => status,
        () => 0,
      )
      .finally(() => web.close());
  };
  expect(await ask()).toBe(0);
  setDefaultCACertificates([...before, server.reach.caBundle]);
  try {
    expect(await ask()).toBe(404);
  } finally {
    setDefaultCACertificates(before);
    await server.close();
  }
});
