import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { restOf } from '../../action/stores.js';
import { type ActionsService, actionsService } from './actions-service.js';

let close = (): void => undefined;
afterEach(() => close());

/** GitHub's services behind something that answers every call alike. */
async function behind(answer: (response: ServerResponse) => void): Promise<ActionsService> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rest = restOf({ apiUrl: url, repository: 'acme/platform', token: 't' });
  return actionsService({ resultsUrl: url, rest, runtimeToken: 't', defaultBranch: 'main' });
}

describe('an answer that GitHub does not give', () => {
  const half = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-length': '5000' });
    response.write('{"total_count": 3, "artifacts": [', () => response.destroy());
  };
  const text = (body: string) => (response: ServerResponse) => void response.end(body);

  it.each([
    ['that breaks off', half],
    ['of a gateway', text('<html>log in</html>')],
    ['of another form', text('{"total_count":"3","artifacts":{},"actions_caches":null,"ok":"yes"}')],
    ['that is nothing', text('null')],
  ])('%s is a store that is away, in one line', async (_, answer) => {
    const service = await behind(answer);
    const calls = [
      service.listArtifacts(),
      service.listCaches('p', 'refs/heads/main'),
      service.findCache('k', 'v'),
      service.whyCacheRefused('k', 'v'),
    ];
    const why = expect.stringMatching(/^[^\n]{5,200}$/);
    await Promise.all(calls.map((call) => expect(call).rejects.toMatchObject({ code: 'store-unavailable', why })));
  });
});
