import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Folder in which GitHub looks for workflows, and in none below it. */
export const workflowsOf = (root: string): string => join(root, '.github', 'workflows');

/** Texts of the files in a folder by their names, as git has them: with the line ends of Unix. */
export async function textsIn(folder: string): Promise<Map<string, string>> {
  const names = await readdir(folder).catch((): string[] => []);
  const texts = await Promise.all(
    names.map(async (name): Promise<[string, string][]> => {
      // What cannot be read is no file: a folder, or a link that leads nowhere.
      const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
      return text === undefined ? [] : [[name, text.replace(/^\uFEFF/, '').replaceAll('\r\n', '\n')]];
    }),
  );
  return new Map(texts.flat());
}

/** Writes the workflows that are new, and leaves every other file alone. */
export async function writeWorkflows(
  root: string,
  files: readonly { name: string; text: string; state: string }[],
): Promise<void> {
  const folder = workflowsOf(root);
  await mkdir(folder, { recursive: true });
  for (const { name, text, state } of files) {
    if (state === 'new') await writeFile(join(folder, name), text, { flag: 'wx' });
  }
}
