import { expect, it } from '@jest/globals';
import { askEndpoints } from './endpoints.js';
import { startSecureServer } from './testing/secure-server.js';

it('gives an endpoint up that sends a byte now and then, and never ends', async () => {
  const server = await startSecureServer();
  server.instead = (_, response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 300);
    response.once('close', () => clearInterval(timer));
    return true;
  };
  const endpoint = { host: server.host, path: '/', behind: 'mcp-platform-api', expected: [200], isJson: true };
  const [seen] = await askEndpoints([endpoint], server.reach, new AbortController().signal);
  await server.close();
  expect(seen).toEqual({ endpoint, status: undefined, problem: 'no answer within 5 s' });
}, 15_000);
