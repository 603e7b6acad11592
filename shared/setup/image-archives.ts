import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes the archives of images that a stopped installer left in the source's folder, and names them. */
export async function removeImageArchives(source: string): Promise<string[]> {
  const names = (await readdir(source).catch((): string[] => [])).filter((name) => /^mcp-img-.*\.tar$/.test(name));
  await Promise.all(names.map((name) => rm(join(source, name), { force: true })));
  return names;
}
