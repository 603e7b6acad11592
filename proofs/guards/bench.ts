import { execFile } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';
import type { FileReport } from './reporter.js';

/** Of jest: bytes that it prints. */
const mostOutput = 64 * 1024 * 1024;

/** A test that has failed. */
export interface Failed {
  /** Test file, as it is compiled, from the root; empty where nothing ended in time. */
  file: string;
  name: string;
}

/** A copy of the repository in which jest finds the compiled tests, and in which one source at a time is another. */
export interface Bench {
  /** Does something while a source is another one, and puts it back. */
  withSource<T>(file: string, source: string, work: () => Promise<T>): Promise<T>;
  /**
   * Tests that fail.
   *
   * @param words what jest is told; see `patternsOf`
   * @param within how long they may take, in ms; afterwards they are over, as one failure
   * @returns nothing when there is no test at all
   */
  failing(words: readonly string[], within: number): Promise<Failed[] | undefined>;
}

/** Makes a copy in a folder that is not there yet. The sources are only linked to, as tests read pages and manifests. */
export async function openBench(copy: string): Promise<Bench> {
  await mkdir(copy);
  const [own, copied] = [new Set(['.git', 'build']), new Set(['package.json'])];
  const entries = (await readdir(root)).filter((name) => !own.has(name));
  await Promise.all([
    cp(join(root, 'build'), join(copy, 'build'), { recursive: true }),
    ...entries.map((name) =>
      copied.has(name) ? cp(join(root, name), join(copy, name)) : symlink(join(root, name), join(copy, name)),
    ),
  ]);
  return {
    async withSource(file, source, work) {
      const compiled = join(copy, 'build', file.replace(/\.ts$/, '.js'));
      const whole = await readFile(compiled, 'utf8');
      await writeFile(compiled, stripTypeScriptTypes(source));
      try {
        return await work();
      } finally {
        await writeFile(compiled, whole);
      }
    },
    failing: (words, within) => failing(copy, words, within),
  };
}

/** What jest is told to run some test files, which are given without their ending. */
export function patternsOf(tests: readonly string[]): string[] {
  return tests.map((test) => `/build/${test.replaceAll('.', '\\.')}\\.js$`);
}

async function failing(copy: string, words: readonly string[], within: number): Promise<Failed[] | undefined> {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const reporter = `--reporters=${join(root, 'build', 'proofs', 'guards', 'reporter.js')}`;
  // A wait that nobody ends any more would keep the process alive: the tests are over by then.
  const all = [...options, jest, reporter, '--runInBand', '--forceExit', '--rootDir', copy, ...words];
  // jest's exit code says that a test has failed, which is what is wanted here: the report tells.
  const [stdout, stderr, stopped] = await new Promise<[string, string, boolean]>((resolve) => {
    execFile(
      process.execPath,
      all,
      { cwd: copy, maxBuffer: mostOutput, timeout: within, killSignal: 'SIGKILL' },
      (error, out, err) => resolve([out, err, error?.killed === true]),
    );
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('{"path":'));
  const files = lines.map((line) => JSON.parse(line) as FileReport);
  const failed = files.flatMap(({ path, failed: names }) =>
    names.map((name) => ({ file: path.slice(copy.length + 1), name })),
  );
  if (failed.length > 0) return failed;
  if (stopped) return [{ file: '', name: `nothing ends within ${within / 1000} s` }];
  if (files.length === 0 && !/No tests found/.test(stdout + stderr)) {
    throw new Error(`jest says nothing: ${stderr.slice(-300)}`);
  }
  return files.every(({ tests }) => tests === 0) ? undefined : [];
}
