import { type ChildProcess, fork } from 'node:child_process';
import { cp, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';

/** Bytes of a process, beyond which another one takes its place: modules that were loaded once are never forgotten. */
const mostMemory = 700 * 1024 * 1024;

/** A test that has failed. */
export interface Failed {
  /** Test file, as a source from the root. */
  file: string;
  name: string;
  /** Nothing ended in time. */
  endless?: true;
}

/** What a process of the bench is told: a compiled test file, from the build. */
export interface Order {
  file: string;
}

export interface FileReport {
  failed: string[];
  /** Bytes that the process holds. */
  memory: number;
}

/** A copy of the repository in which the compiled tests run, and in which one source at a time is another. */
export interface Bench {
  /** Does something while a source is another one, and puts it back. */
  withSource<T>(file: string, source: string, work: () => Promise<T>): Promise<T>;
  /**
   * Tests that fail, of the first file that has such.
   *
   * @param tests sources of tests, in the order in which they run
   * @param within how long a file may take, in ms; afterwards it is over, as one failure
   */
  failing(tests: readonly string[], within: number): Promise<Failed[]>;
  close(): void;
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
  let process: ChildProcess | undefined;
  const end = (): void => {
    process?.kill('SIGKILL');
    process = undefined;
  };
  const reportOf = async (file: string, within: number): Promise<Failed[]> => {
    process ??= start(copy);
    const report = await answerOf(process, { file: compiledOf(file) }, within);
    if (report === 'late') {
      end();
      return [{ file, name: `nothing ends within ${within / 1000} s`, endless: true }];
    }
    if (report === 'ended') {
      end();
      return [{ file, name: 'the process of the tests ends' }];
    }
    if (report.failed.length > 0 || report.memory > mostMemory) end();
    return report.failed.map((name) => ({ file, name }));
  };
  return {
    async withSource(file, source, work) {
      const compiled = join(copy, 'build', compiledOf(file));
      const whole = await readFile(compiled, 'utf8');
      await writeFile(compiled, stripTypeScriptTypes(source));
      try {
        return await work();
      } finally {
        await writeFile(compiled, whole);
      }
    },
    async failing(tests, within) {
      for (const file of tests) {
        const isFirst = process === undefined;
        const own = await reportOf(file, within);
        if (own.length === 0) continue;
        // Packages are loaded once: what an earlier file has left in one may be why. Only what fails alone as well has failed.
        const failed = isFirst ? own : await reportOf(file, within);
        if (failed.length > 0) return failed;
      }
      return [];
    },
    close: end,
  };
}

function start(copy: string): ChildProcess {
  return fork(join(root, 'build', 'proofs', 'guards', 'worker.js'), {
    cwd: copy,
    env: { ...process.env, NODE_ENV: 'test' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** What a process reports of a test file, or why it does not. */
function answerOf(process: ChildProcess, order: Order, within: number): Promise<FileReport | 'late' | 'ended'> {
  return new Promise((resolve) => {
    const done = (answer: FileReport | 'late' | 'ended'): void => {
      clearTimeout(late);
      process.removeAllListeners();
      resolve(answer);
    };
    const late = setTimeout(() => done('late'), within);
    process.once('message', (report: FileReport) => done(report));
    process.once('exit', () => done('ended'));
    process.send(order);
  });
}

const compiledOf = (source: string): string => source.replace(/\.ts$/, '.js');
