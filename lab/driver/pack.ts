import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGzip } from 'node:zlib';
import { McprtError } from '../../shared/errors.js';
import { packFolder } from './archive.js';
import { root } from './folders.js';
import type { ModuleOptions } from './module-program.js';
import { archiveName, digestOf, digestsFile, ownMachine, readDigests } from './prebuilt.js';
import { compileProgram, sourcesHash } from './program.js';

const run = promisify(execFile);

/**
 * Packs the lab's programs as a release has them. Their digest goes into lab/prebuilt.json, or must be the one that is there.
 *
 * @param check whether nothing is written but the archive
 * @returns path of the archive, below build/
 * @throws McprtError `lab-pack` where another Go built them, or other bytes came out
 */
export async function packRelease(options: ModuleOptions, check: boolean): Promise<string> {
  const [sources, known] = await Promise.all([sourcesHash(), readDigests()]);
  const folder = join(root, 'build', 'packed');
  const programs = join(folder, 'programs');
  await rm(folder, { recursive: true, force: true });
  await mkdir(programs, { recursive: true });
  // Never taken from a release: it is to be what these sources give.
  await compileProgram(programs, options);
  const go = await goOf(join(programs, 'lab'), options.env);
  if (go !== known.go) {
    throw refused(
      `Go ${go} has built the lab, and lab/prebuilt.json names ${known.go}`,
      `run it again with GOTOOLCHAIN=go${known.go}`,
    );
  }
  const archive = join(folder, archiveName(sources, ownMachine));
  const tar = archive.replace(/\.gz$/, '');
  await packFolder(programs, tar);
  await rm(programs, { recursive: true });
  const digest = await digestOf(tar);
  const committed = known.archives[ownMachine];
  const isEqual = known.sources === sources && committed?.sha256 === digest.sha256 && committed.bytes === digest.bytes;
  if (check && !isEqual) {
    throw refused(
      `these sources (${sources}) give ${digest.sha256}, and lab/prebuilt.json has ${committed?.sha256} for ${known.sources}`,
      'npm run lab -- pack, and commit lab/prebuilt.json',
    );
  }
  await pipeline(createReadStream(tar), createGzip({ level: 9 }), createWriteStream(archive));
  await rm(tar);
  if (!isEqual) {
    // Digests of other machines belong to other sources where these are new.
    const others = known.sources === sources ? known.archives : {};
    const text = JSON.stringify({ sources, go, archives: { ...others, [ownMachine]: digest } }, null, 2);
    await writeFile(digestsFile, `${text}\n`);
  }
  return archive;
}

/** The version of Go that has built a program, such as `1.26.8`. */
export async function goOf(program: string, env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await run('go', ['version', program], { env });
  return stdout.trim().replace(/^.*: go/s, '');
}

const refused = (why: string, next: string): McprtError =>
  new McprtError('lab-pack', { what: 'this is not the lab that a release has', why, next });
