import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { type Listening, listenOnLoopback } from '../../lab/driver/loopback.js';

const types: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** A folder on loopback, below the path that GitHub Pages gives a repository. @returns the address of the folder */
export async function serveFolder(folder: string): Promise<Pick<Listening, 'close'> & { address: string }> {
  const base = '/mcprt/';
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const file = pathname.startsWith(base) ? join(folder, normalize(`/${pathname.slice(base.length)}`)) : folder;
    readFile(file).then(
      (content) => response.setHeader('content-type', types[extname(file)] ?? 'text/plain').end(content),
      () => response.writeHead(404).end('not there'),
    );
  });
  const { port, close } = await listenOnLoopback(server);
  return { address: `http://127.0.0.1:${port}${base}`, close };
}
