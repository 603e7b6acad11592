import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { loadTar } from '../../shared/tar.js';

/** Packs the files of a folder into a tar file; the same files give the same bytes, whatever their times and owners. */
export async function packFolder(folder: string, file: string): Promise<void> {
  const { pack } = await loadTar();
  const tar = pack();
  const written = pipeline(tar, createWriteStream(file));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
  const filled = async (): Promise<void> => {
    for (const path of paths.toSorted()) {
      const { size, mode } = await stat(path);
      const header = { name: path.slice(folder.length + 1), size, mtime: new Date(0), uid: 0, gid: 0 };
      await pipeline(createReadStream(path), tar.entry({ ...header, mode: mode & 0o100 ? 0o755 : 0o644 }));
    }
    tar.finalize();
  };
  // Together, as each may fail: a full disk ends the one, and the other then waits for nobody.
  await Promise.all([filled(), written]);
}

/** Unpacks such a file into a folder. Its names are taken as they are: only a file whose digest is known belongs here. */
export async function unpackFolder(file: string, folder: string): Promise<void> {
  const { extract } = await loadTar();
  const tar = extract();
  const written = async (): Promise<void> => {
    for await (const entry of tar) {
      const path = join(folder, entry.header.name);
      await mkdir(dirname(path), { recursive: true });
      await pipeline(entry, createWriteStream(path));
      await chmod(path, entry.header.mode ?? 0o644);
    }
  };
  await Promise.all([pipeline(createReadStream(file), tar), written()]);
}
