import { readdir, readFile } from 'node:fs/promises';
import { join, normalize } from 'node:path';

/** Sources, each with those that it imports; all from the root. */
export type Imports = ReadonlyMap<string, readonly string[]>;

/** Reads what the sources of some folders import of each other. */
export async function importsIn(root: string, folders: readonly string[]): Promise<Imports> {
  const found = await Promise.all(
    folders.map(async (folder) => {
      const names = await readdir(join(root, folder), { recursive: true });
      const sources = names.filter((name) => name.endsWith('.ts')).map((name) => join(folder, name));
      return Promise.all(
        sources.map(async (file) => [file, importsOf(file, await readFile(join(root, file), 'utf8'))] as const),
      );
    }),
  );
  return new Map(found.flat());
}

/** Sources that a source imports, or has another process import; what is imported for its types only cannot break at run time. */
export function importsOf(file: string, source: string): string[] {
  const named =
    /^(?:import|export)\s(?!type\s)[^'"]*?['"](\.[^'"]+)\.js['"]|\b(?:import|new URL)\(['"](\.[^'"]+)\.js['"]/gm;
  return [...source.matchAll(named)].map(([, own, late]) => normalize(join(file, '..', `${own ?? late}.ts`)));
}

/** Tests that a source can break, the nearest first: its own, then those of what imports it, and so on. */
export function testsOf(file: string, imports: Imports): string[] {
  const seen = new Set([file]);
  const found: string[] = [];
  for (let level = [file]; level.length > 0; ) {
    level = [...imports]
      .filter(([one, of]) => !seen.has(one) && of.some((name) => level.includes(name)))
      .map(([one]) => one);
    for (const one of level) seen.add(one);
    found.push(...level.filter((one) => one.endsWith('.test.ts')).sort());
  }
  const own = file.replace(/\.ts$/, '.test.ts');
  return found.includes(own) ? [own, ...found.filter((one) => one !== own)] : found;
}
