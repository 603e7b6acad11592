import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeImageArchive } from '../../lab/platform/api/image-archive.js';
import { writeExampleServer } from '../../lab/platform/example-server.js';
import type { Base } from './base.js';
import type { Made } from './part.js';
import { behaviour } from './services.js';

/** What people publish on the platform. */
export interface Servers {
  /** Folder with the source of the example server. */
  source: string;
  /** Writes an image archive of the example server. @returns its path */
  archive(labels?: Record<string, string>, architecture?: string): Promise<string>;
}

/** Writes the example server, and an archive of it for the smoke tests. */
export async function makeServers({ folder }: Base): Promise<Made<Servers>> {
  const source = join(folder, 'workspace-assistant-mcp');
  await writeExampleServer(source);
  let archives = 0;
  const archive: Servers['archive'] = async (labels = {}, architecture = 'amd64') => {
    archives += 1;
    const file = join(folder, `image-${archives}.tar`);
    const own = behaviour({ mcp: 'workspace-assistant', ...labels });
    await writeFile(file, await makeImageArchive({ tag: 'workspace-assistant-mcp:lab', labels: own, architecture }));
    return file;
  };
  return {
    part: { source, archive },
    inputs: { 'smoke-test': { source, 'image-archive': await archive() } },
  };
}
