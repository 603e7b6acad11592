import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { parse } from '@babel/parser';

const run = promisify(execFile);

/** One TypeScript file of the repository. */
export interface Source {
  /** From the root, with slashes. */
  path: string;
  lines: number;
  /** Files of the repository that it imports, values and types alike, by their paths. */
  imports: readonly string[];
}

/** Reads every TypeScript file that git knows or would add. */
export async function sourcesOf(root: string): Promise<Source[]> {
  const listed = await git(root, ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.ts']);
  const read = async (path: string): Promise<Source[]> => {
    const text = await readFile(join(root, path), 'utf8').catch(() => undefined);
    return text === undefined ? [] : [sourceOf(path, text)];
  };
  return (await Promise.all(paths(listed).map(read))).flat();
}

/** The same for a commit; its imports are not looked at. */
export async function sourcesAt(root: string, commit: string): Promise<Source[]> {
  const listed = await git(root, ['ls-tree', '-r', '--name-only', commit]);
  const names = paths(listed).filter((path) => path.endsWith('.ts'));
  const counted = await git(root, ['grep', '-c', '', commit, '--', ...names]);
  return counted.split('\n').flatMap((line) => {
    const [, path, lines] = /^[^:]+:(.+):(\d+)$/.exec(line) ?? [];
    return path === undefined ? [] : [{ path, lines: Number(lines), imports: [] }];
  });
}

/** A file as it is given. @throws SyntaxError */
export function sourceOf(path: string, text: string): Source {
  const { program } = parse(text, { sourceType: 'module', plugins: ['typescript'] });
  const named = program.body.flatMap((one) => ('source' in one && one.source ? [one.source.value] : []));
  const imports = named
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(path), name).replace(/\.js$/, '.ts'));
  return { path, lines: text.split('\n').length - 1, imports: [...new Set(imports)] };
}

function paths(listed: string): string[] {
  return listed.split('\n').filter((path) => path !== '' && !path.startsWith('dist/'));
}

async function git(root: string, args: readonly string[]): Promise<string> {
  return (await run('git', args, { cwd: root, maxBuffer: 32 * 1024 * 1024 })).stdout;
}
