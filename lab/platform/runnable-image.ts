import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { putBlob, putManifest } from './image.js';

/** What an image is made of that is really run. */
export interface Runnable {
  /** What `lab/workload` goes by. */
  env?: Readonly<Record<string, string>>;
  /** Program and arguments: `/workload` when left out. */
  entrypoint?: readonly string[];
  architecture?: string;
  /** Number of the user that it runs as. */
  user?: string;
}

/**
 * Puts an image `FROM scratch` into a registry that holds a static program, by the names `/workload` and `/pause`, an
 * empty `/tmp`, and what cannot be run: `/notes`, which is no program, and `/foreign`, which is another processor's.
 *
 * @returns its digest
 */
export async function putRunnable(
  url: string,
  repository: string,
  tag: string,
  program: string,
  { env = {}, entrypoint = ['/workload'], architecture = 'amd64', user = '65532' }: Runnable = {},
): Promise<string> {
  const files = await tarOf(program);
  const layer = await putBlob(url, repository, gzipSync(files, { level: 1 }));
  const config = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config: {
        User: user,
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        Entrypoint: entrypoint,
        // Each image is unlike every other.
        Labels: { 'lab.mcprt.dev/made': `${Date.now()}-${process.hrtime.bigint()}` },
      },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(files).digest('hex')}`] },
    }),
  );
  return putManifest(url, repository, tag, await putBlob(url, repository, config), [layer]);
}

/** The beginning of a program for 64-bit ARM, as elf(5) has it. */
const foreign = Buffer.concat([
  Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
  Buffer.from([2, 0, 183, 0, 1, 0, 0, 0]),
  Buffer.alloc(40),
]);

async function tarOf(program: string): Promise<Buffer> {
  const bytes = await readFile(program);
  const files = pack();
  files.entry({ name: 'tmp', type: 'directory', mode: 0o1777 });
  files.entry({ name: 'workload', mode: 0o755 }, bytes);
  files.entry({ name: 'pause', type: 'link', linkname: 'workload', mode: 0o755 });
  files.entry({ name: 'notes', mode: 0o644 }, 'This is no program.\n');
  files.entry({ name: 'foreign', mode: 0o755 }, foreign);
  files.finalize();
  return buffer(files);
}
