import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { builtOnce } from '../../lab/driver/built-once.js';
import { cacheFolder, root } from '../../lab/driver/folders.js';
import { bound, freePort } from '../../lab/driver/processes.js';
import { until } from '../../lab/driver/until.js';
import { messageOf } from '../../shared/errors.js';
import type { ProofContext } from '../support/proof.js';

const run = promisify(execFile);
const folder = join(root, 'proofs', 'mcp-servers');

/** A server that the official Python SDK was used for, behind a handler that hands all on to it. */
export interface PythonServer {
  name: string;
  handle(request: IncomingMessage, response: ServerResponse): void;
  close(): Promise<void>;
}

/**
 * Starts servers made with both majors of the official Python SDK, in four ways each.
 *
 * @returns why there are none where Python does not install its packages: that needs Python 3.10 and its package index
 */
export async function pythonServers(context: ProofContext): Promise<PythonServer[] | string> {
  try {
    const made: PythonServer[] = [];
    for (const major of [1, 2]) {
      const python = await installed(major, context);
      for (const settings of [[], ['json'], ['stateless'], ['stateless', 'json']]) {
        made.push(await started(python, `Python SDK ${major}: ${settings.join(', ') || 'sessions, events'}`, settings));
      }
    }
    return made;
  } catch (error) {
    return messageOf(error).slice(0, 200);
  }
}

async function installed(major: number, { env, progress }: ProofContext): Promise<string> {
  const wanted = join(folder, `python-${major}.txt`);
  const hash = createHash('sha256')
    .update(await readFile(wanted))
    .digest('hex')
    .slice(0, 16);
  const home = join(cacheFolder(env), 'python', `mcp-${major}-${hash}`);
  await builtOnce(home, async (_workshop, done) => {
    progress(`  installing the official Python SDK ${major}: once, then cached`);
    await run('python3', ['-m', 'venv', done], { env });
    await run(join(done, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', '--no-deps', '-r', wanted], {
      env,
      timeout: 240_000,
    });
  });
  return join(home, 'bin', 'python');
}

async function started(python: string, name: string, settings: readonly string[]): Promise<PythonServer> {
  const port = await freePort();
  const child: ChildProcess = spawn(python, [join(folder, 'python-server.py'), String(port), ...settings], {
    stdio: 'ignore',
  });
  const ended = once(child, 'exit');
  const close = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await ended;
  };
  try {
    await until(`the port of ${name}`, async () => (await bound(port)) === undefined, { seconds: 60 });
  } catch (error) {
    await close();
    throw error;
  }
  return { name, close, handle: (request, response) => handOn(port, request, response) };
}

/** TLS ends before it, as at the platform's front. */
function handOn(port: number, request: IncomingMessage, response: ServerResponse): void {
  const { method, url, headers } = request;
  const own = { ...headers, host: `127.0.0.1:${port}` };
  const call = httpRequest({ host: '127.0.0.1', port, method, path: url, headers: own }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.on('error', () => response.destroy()).pipe(response);
  });
  call.on('error', () => response.destroy());
  response.on('close', () => call.destroy());
  request.pipe(call);
}
