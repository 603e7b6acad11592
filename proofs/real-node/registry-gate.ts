import { createServer, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOnLoopback } from '../../lab/driver/loopback.js';

/** What stands before the registry as a node sees it: it asks for a password. */
export interface RegistryGate {
  url: string;
  /** How long each layer takes, in ms. */
  delay(ms: number): void;
  close(): Promise<void>;
}

/** @param mayPull who is let in */
export async function openRegistryGate(
  registry: string,
  mayPull: (username: string, password: string) => Promise<boolean>,
): Promise<RegistryGate> {
  let delay = 0;
  const server = createServer((incoming, outgoing) => {
    const pass = async (): Promise<void> => {
      const basic = /^Basic (.+)$/i.exec(incoming.headers.authorization ?? '')?.[1] ?? '';
      const [username = '', ...password] = Buffer.from(basic, 'base64').toString('utf8').split(':');
      if (!(await mayPull(username, password.join(':')))) {
        outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="mcp-runtime-registry"' }).end('Unauthorized\n');
        return;
      }
      if (delay > 0 && incoming.method === 'GET' && incoming.url?.includes('/blobs/')) await sleep(delay);
      const { authorization: _, ...headers } = incoming.headers;
      const onward = request(new URL(incoming.url ?? '/', registry), { method: incoming.method, headers });
      onward.once('response', (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      });
      onward.on('error', () => outgoing.destroy());
      incoming.pipe(onward);
    };
    pass().catch(() => outgoing.destroy());
  });
  const { port, close } = await listenOnLoopback(server);
  return {
    url: `http://127.0.0.1:${port}`,
    delay(ms) {
      delay = ms;
    },
    close,
  };
}
