// Runs unit tests. Words that are sources are turned into what they are compiled to; everything else is jest's.
//   npm run unit                               all of them
//   npm run unit -- shared/backup/seal.test.ts   one; a part of a name does as well
//   npm run unit -- shared/backup/seal.ts        those that the file may break
//   npm run unit -- --coverage                 fails when fewer branches of shared/ are tested than package.json says
//   npm run unit -- --watch [FILE]             again after each change of a source: of FILE, or what the change may break
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { coverageNews, coverageWords, jestWords } from './unit-words.js';

/** Of an editor, which writes a file in more than one go: ms until it has. */
const settled = 100;

const words = process.argv.slice(2);
const watching = words.includes('--watch');

/** Runs a program of ours to its end, with what it prints shown. */
function start(program: string, args: readonly string[]): ChildProcess {
  const NODE_OPTIONS = '--experimental-vm-modules --disable-warning=ExperimentalWarning';
  return spawn(process.execPath, [program, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, NODE_OPTIONS },
  });
}

const ended = async (child: ChildProcess): Promise<boolean> => (await once(child, 'close'))[0] === 0;
const jest = (args: readonly string[]): ChildProcess =>
  start(join(root, 'node_modules', 'jest', 'bin', 'jest.js'), args);

/** Builds and tests after each change, and begins anew where another comes meanwhile. */
async function testOnChange(asked: readonly string[]): Promise<never> {
  const changed = new Set<string>();
  let wake = (): void => undefined;
  const folders = readdirSync(root, { withFileTypes: true })
    .filter((one) => one.isDirectory() && !/^(\..*|build|dist|docs|node_modules)$/.test(one.name))
    .map(({ name }) => name);
  for (const folder of folders) {
    watch(join(root, folder), { recursive: true }, (_, file) => {
      if (!file?.endsWith('.ts')) return;
      changed.add(join(folder, file));
      wake();
    });
  }
  const change = (): Promise<void> => new Promise((resolve) => (wake = resolve));
  for (let seen: string[] = []; ; ) {
    const next = change();
    const tests = asked.length > 0 ? asked : seen.filter((file) => existsSync(join(root, file)));
    if (tests.length > 0 && (await ended(start(join(root, 'scripts', 'build.mjs'), [])))) {
      const running = jest(jestWords(tests));
      const end = ended(running);
      await Promise.race([end, next]);
      running.kill();
      await end;
    }
    process.stdout.write('waiting for a change\n');
    await next;
    await new Promise((resolve) => setTimeout(resolve, settled));
    seen = [...changed];
    changed.clear();
  }
}

/** Says how far the tests are above the floor. */
function tellCoverage(): void {
  const { jest: settings } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const summary = JSON.parse(readFileSync(join(root, settings.coverageDirectory, 'coverage-summary.json'), 'utf8'));
  const { pct } = summary.total.branches;
  process.stdout.write(`${coverageNews(pct, settings.coverageThreshold.global.branches)}\n`);
}

if (watching) await testOnChange(words.filter((word) => word !== '--watch'));
else {
  const more = coverageWords(words);
  process.exitCode = (await ended(jest([...jestWords(words), ...more]))) ? 0 : 1;
  if (more.length > 0 && !more.includes('{}')) tellCoverage();
}
