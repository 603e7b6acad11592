// Runs every check of this repository, in the order in which a failure is cheapest to find, and ends with one line that
// counts them: `N passed, N failed`. Proofs wait for controllers most of the time, so several run side by side.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import pMap from 'p-map';
import { root } from '../lab/driver/folders.js';
import { proofs as all } from '../proofs/registry.js';
import { notRunCode } from '../proofs/support/proof.js';
import { elsewhere } from './unit-words.js';

interface Check {
  name: string;
  command: string[];
  /** Whether it measures time, makes what others need, or is cheap and tells of the most: nothing runs beside it. */
  alone: boolean;
  /** How many single checks its output tells of; a command without such an output counts as one. */
  count?: (output: string) => { passed: number; failed: number } | undefined;
}

const proofs = all.filter(({ onDemand }) => onDemand !== true);
const node = process.execPath;
const bin = (path: string): string => join(root, 'node_modules', path);

/** Begun last, one of these would run on with nothing beside it. */
const long = ['workflows', 'setup', 'wipe', 'rollout', 'rbac', 'drill', 'smoke'];
/** Whose summaries are looked at in a browser: these have the most kinds. */
const drawn = ['rollout-failures', 'smoke-failures'];
const longestFirst = [
  ...long.flatMap((name) => proofs.filter((proof) => proof.name === name)),
  ...proofs.filter(({ name }) => !long.includes(name)),
];

function unitTests(name: string, ...words: string[]): Check {
  return {
    name,
    alone: true,
    command: [node, join(root, 'build', 'scripts', 'unit.js'), ...words],
    count: (output) => {
      const line = /^Tests:\s+(.*)$/m.exec(output)?.[1];
      const number = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(line ?? '')?.[1] ?? 0);
      return line === undefined ? undefined : { passed: number('passed'), failed: number('failed') };
    },
  };
}

const checks: Check[] = [
  { name: 'lint and format', alone: true, command: [bin('.bin/biome'), 'check', '.'] },
  { name: 'layout', alone: true, command: [node, join(root, 'build', 'scripts', 'layout.js')] },
  unitTests('unit tests and their coverage', '--coverage'),
  unitTests('unit tests of scripts, lab and proofs', ...elsewhere),
  { name: 'build of the lab', alone: true, command: [node, join(root, 'build', 'lab', 'driver', 'main.js'), 'build'] },
  { name: 'bundle', alone: false, command: [node, join(root, 'scripts', 'bundle.mjs'), '--check'] },
  { name: 'demo', alone: false, command: [node, join(root, 'build', 'proofs', 'demo.js'), '--json'] },
  ...longestFirst.map(
    ({ name }): Check => ({
      name: `proof ${name}`,
      alone: name === 'speed',
      command: [
        ...[node, join(root, 'build', 'proofs', 'main.js'), name, '--small', '--json'],
        ...(drawn.includes(name) ? ['--pictures'] : []),
      ],
    }),
  ),
];

const sideBySide = 3;
const running = new Set<() => void>();
const times: { name: string; seconds: number }[] = [];
/** What failed, with the end of what it printed: a log is often kept, and read, from its end. */
const failures: string[] = [];
const toldOfAFailure = 2_000;
let stopped = false;

interface Counted {
  passed: number;
  failed: number;
  skipped: number;
}

/** Runs one check, and shows what it printed when it has ended: two at once would be mixed up. */
async function run({ name, command, count }: Check): Promise<Counted> {
  if (stopped) return { passed: 0, failed: 1, skipped: 0 };
  const [program = '', ...args] = command;
  process.stdout.write(`== ${name}: begun\n`);
  const started = performance.now();
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output += chunk.toString();
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  const stop = (): void => void child.kill('SIGTERM');
  running.add(stop);
  const code = await new Promise<number | null>((resolve) =>
    child.once('close', resolve).once('error', () => resolve(1)),
  );
  running.delete(stop);
  if (code === notRunCode) {
    process.stdout.write(`\n${output}\n== ${name}: NOT RUN\n\n`);
    return { passed: 0, failed: 0, skipped: 1 };
  }
  const counted = count?.(output) ?? { passed: code === 0 ? 1 : 0, failed: 0 };
  const failed = code === 0 ? counted.failed : Math.max(counted.failed, 1);
  const seconds = Math.round((performance.now() - started) / 1000);
  times.push({ name, seconds });
  if (failed > 0) failures.push(`${name}, which ended with ${code ?? 'a signal'}:\n${output.slice(-toldOfAFailure)}`);
  process.stdout.write(`\n${output}\n== ${name}: ${failed === 0 ? 'ok' : 'FAILED'} (${seconds} s)\n\n`);
  return { passed: counted.passed, failed, skipped: 0 };
}

const stopAll = (): void => {
  stopped = true;
  for (const stop of running) stop();
};
process.on('SIGINT', stopAll).on('SIGTERM', stopAll);

// What measures time comes last, when nothing is left beside it.
const first = checks.filter(({ alone, name }) => alone && !name.startsWith('proof'));
const last = checks.filter(({ alone, name }) => alone && name.startsWith('proof'));
const beside = checks.filter(({ alone }) => !alone);
const counts = [
  ...(await pMap(first, run, { concurrency: 1 })),
  ...(await pMap(beside, run, { concurrency: sideBySide })),
  ...(await pMap(last, run, { concurrency: 1 })),
];
const slowest = times.sort((one, other) => other.seconds - one.seconds).slice(0, 15);
process.stdout.write(
  `\nwhere the time went:\n${slowest.map(({ name, seconds }) => `${String(seconds).padStart(5)} s  ${name}`).join('\n')}\n`,
);
for (const failure of failures) process.stdout.write(`\nFAILED: ${failure}\n`);
const sum = (field: keyof Counted): number => counts.reduce((total, one) => total + one[field], 0);
process.stdout.write(
  `\n${sum('passed')} passed, ${sum('failed')} failed${sum('skipped') > 0 ? `, ${sum('skipped')} skipped` : ''}\n`,
);
process.exitCode = sum('failed') === 0 ? 0 : 1;
