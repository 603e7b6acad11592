import { execFile } from 'node:child_process';
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import pMap from 'p-map';
import { root } from '../../lab/driver/folders.js';
import { messageOf } from '../../shared/errors.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { type Guard, guards } from './list.js';

/** Processes at a time, each with a copy of the build of its own. */
const parallel = 2;
/** Of jest: bytes that it prints, and ms that one test file may take, as a guard that is off may leave a test waiting. */
const mostOutput = 64 * 1024 * 1024;
const patience = 60_000;

export const guardsProof: Proof = {
  name: 'guards',
  claim: 'each guard of the list, switched off in turn, makes a named unit test fail',
  async run(context) {
    const tests = [...new Set(guards.map(({ test }) => test))];
    const copies = await Promise.all(Array.from({ length: parallel }, (_, index) => copyOfBuild(context, index)));
    const [first] = copies;
    if (first === undefined) throw new Error('there is a copy');
    const sound = await failing(first, tests);
    for (const name of sound) context.fail(`with every guard on, a test fails: ${name}`);
    const free = [...copies];
    let missed = 0;
    await pMap(
      guards,
      async (guard) => {
        const copy = free.pop() ?? first;
        try {
          const failed = await switchedOff(copy, guard);
          context.progress(`  ${guard.name}: ${failed[0] ?? 'NO TEST FAILS'}`);
          const isMissed = failed.length > 0;
          if (context.expect(isMissed, `${guard.name} (${guard.file}): no test of ${guard.test} misses it`))
            missed += 1;
        } catch (error) {
          context.fail(`${guard.name}: ${messageOf(error)}`);
        } finally {
          free.push(copy);
        }
      },
      { concurrency: parallel },
    );
    return { guards: guards.length, missed };
  },
};

/** A folder in which jest finds the compiled tests, and in which one file at a time is another. */
async function copyOfBuild({ folder }: ProofContext, index: number): Promise<string> {
  const copy = join(folder, `copy-${index}`);
  await mkdir(copy);
  await Promise.all([
    // Tests of what goes over a network have their other side from the lab.
    ...['shared', 'init', 'lab', 'proofs'].map((part) =>
      cp(join(root, 'build', part), join(copy, 'build', part), { recursive: true }),
    ),
    cp(join(root, 'package.json'), join(copy, 'package.json')),
    symlink(join(root, 'node_modules'), join(copy, 'node_modules')),
  ]);
  return copy;
}

/** Puts the source of a guard without it in its place, runs the tests that are to miss it, and puts it back. */
async function switchedOff(copy: string, { file, off: [on, instead], test }: Guard): Promise<string[]> {
  const source = await readFile(join(root, file), 'utf8');
  if (source.split(on).length !== 2) throw new Error(`${file} does not have this once: ${on}`);
  const compiled = join(copy, 'build', file.replace(/\.ts$/, '.js'));
  const whole = await readFile(compiled, 'utf8');
  await writeFile(compiled, stripTypeScriptTypes(source.replace(on, instead)));
  try {
    return await failing(copy, [test]);
  } finally {
    await writeFile(compiled, whole);
  }
}

/** Names of the tests that fail in some test files. */
async function failing(copy: string, tests: readonly string[]): Promise<string[]> {
  const jest = join(root, 'node_modules', 'jest', 'bin', 'jest.js');
  const files = tests.map((test) => `${test.replaceAll('.', '\\.')}\\.js$`);
  const options = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const words = [...options, jest, '--json', '--runInBand', '--forceExit', '--rootDir', copy, ...files];
  // A wait that nobody ends any more would keep the process alive: the tests are over by then.
  // jest's exit code says that a test has failed, which is what is wanted here: the report tells.
  const [stdout, stderr] = await new Promise<[string, string]>((resolve) => {
    execFile(
      process.execPath,
      words,
      { cwd: copy, maxBuffer: mostOutput, timeout: patience * tests.length },
      (_, out, err) => resolve([out, err]),
    );
  });
  const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
    numTotalTests: number;
    testResults: { message: string; status: string; assertionResults: { fullName: string; status: string }[] }[];
  };
  const failed = report.testResults.flatMap(({ assertionResults, status, message }) => {
    const names = assertionResults.filter((one) => one.status === 'failed').map(({ fullName }) => fullName);
    return names.length === 0 && status === 'failed' ? [`a file does not load: ${message.slice(0, 300)}`] : names;
  });
  if (report.numTotalTests === 0 && failed.length === 0) throw new Error(`no test was found: ${stderr.slice(-300)}`);
  return failed;
}
