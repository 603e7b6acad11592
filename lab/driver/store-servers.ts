import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { McprtError } from '../../shared/errors.js';
import { type KeyPair, makeCertificateAuthority, makeServerCertificate } from '../platform/certificate-authority.js';
import { buildOwnModule } from './own-module.js';
import { bound, freePort, type LabProcess, startProcess, stopProcesses } from './processes.js';
import type { Progress } from './progress.js';
import { found } from './until.js';

const startSeconds = 15;

/** Servers that others wrote, for backups: by https, with a certificate of a CA of their own. */
export interface StoreServers {
  /** `HOST:PORT` of Distribution's registry. */
  registry: string;
  /** Address of Versity's gateway, over a folder that keeps versions. */
  s3: string;
  /** ID:SECRET of the one user of the S3 server. */
  s3Credentials: string;
  /** The region that the S3 server wants signatures for. */
  region: string;
  /** PEM of the CA, and a file with it. */
  ca: string;
  caFile: string;
  /** `oras`, as others wrote it. */
  oras: string;
  close(): Promise<void>;
}

const user = { id: 'labkey', secret: 'lab-secret-of-the-s3-server' } as const;
const region = 'garage';

/**
 * Starts a registry and an S3 server below a folder.
 *
 * @param names of them besides this machine's, for whoever resolves those
 * @throws McprtError `lab-build`, `lab-start`
 */
export async function startStoreServers(
  folder: string,
  { env, progress }: { env: NodeJS.ProcessEnv; progress: Progress },
  names: readonly string[] = [],
): Promise<StoreServers> {
  const build = (name: string): Promise<string> => buildOwnModule(name, { env, progress });
  const [registry, s3, oras] = [await build('registry'), await build('s3'), await build('oras')];
  const ca = await makeCertificateAuthority('CA of the servers for backups');
  const tls = await filesOf(folder, ca, await makeServerCertificate(['localhost', '127.0.0.1', ...names], ca));
  const [registryPort, s3Port] = [await freePort(), await freePort()];
  const [images, objects, versions] = await Promise.all(
    ['images', 'objects', 'versions'].map(async (name) => {
      await mkdir(join(folder, name), { recursive: true });
      return join(folder, name);
    }),
  );
  const own = { PATH: env.PATH, HOME: folder };
  const processes: LabProcess[] = [];
  const start = async (name: string, program: string, args: string[], more: NodeJS.ProcessEnv): Promise<void> => {
    const options = { log: join(folder, `${name}.log`), env: { ...own, ...more } };
    processes.push(await startProcess(name, program, args, options));
  };
  try {
    await start(
      'registry',
      registry,
      [`--listen=127.0.0.1:${registryPort}`, `--root=${images}`, `--cert=${tls.certificate}`, `--key=${tls.key}`],
      {},
    );
    await start(
      's3',
      s3,
      [
        ...[
          '--port',
          `127.0.0.1:${s3Port}`,
          '--region',
          region,
          '--cert',
          tls.certificate,
          '--key',
          tls.key,
          '--quiet',
        ],
        ...['posix', '--versioning-dir', versions ?? '', objects ?? ''],
      ],
      { ROOT_ACCESS_KEY_ID: user.id, ROOT_SECRET_ACCESS_KEY: user.secret },
    );
    for (const port of [registryPort, s3Port]) {
      if (await found(async () => (await bound(port)) === undefined, { seconds: startSeconds, every: 30 })) continue;
      throw new McprtError('lab-start', {
        what: 'a server for backups did not come up',
        why: `nobody listens on port ${port}; its log is in ${folder}`,
        next: 'try again; when it happens twice, the log says why',
      });
    }
  } catch (error) {
    await stopProcesses(processes);
    throw error;
  }
  return {
    // oras takes every registry called localhost for one without TLS.
    registry: `127.0.0.1:${registryPort}`,
    s3: `https://localhost:${s3Port}`,
    s3Credentials: `${user.id}:${user.secret}`,
    region,
    ca: ca.certificate,
    caFile: tls.ca,
    oras,
    close: () => stopProcesses(processes),
  };
}

async function filesOf(
  folder: string,
  ca: KeyPair,
  pair: KeyPair,
): Promise<Record<'ca' | 'certificate' | 'key', string>> {
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text, { mode: 0o600 });
    return join(folder, name);
  };
  return {
    ca: await write('ca.pem', ca.certificate),
    certificate: await write('server.pem', pair.certificate),
    key: await write('server-key.pem', pair.key),
  };
}
