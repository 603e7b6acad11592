// Runs every check of this repository, in the order in which a failure is cheapest to find, and ends with one line that
// counts them: `N passed, N failed`.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../lab/driver/folders.js';
import { proofs } from '../proofs/registry.js';

interface Check {
  name: string;
  command: string[];
  env?: Record<string, string>;
  /** How many single checks its output tells of; a command without such an output counts as one. */
  count?: (output: string) => { passed: number; failed: number } | undefined;
}

const node = process.execPath;
const bin = (path: string): string => join(root, 'node_modules', path);

const checks: Check[] = [
  { name: 'lint and format', command: [bin('.bin/biome'), 'check', '.'] },
  {
    name: 'unit tests',
    command: [node, bin('jest/bin/jest.js')],
    env: { NODE_OPTIONS: '--experimental-vm-modules --disable-warning=ExperimentalWarning' },
    count: (output) => {
      const line = /^Tests:\s+(.*)$/m.exec(output)?.[1];
      const number = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(line ?? '')?.[1] ?? 0);
      return line === undefined ? undefined : { passed: number('passed'), failed: number('failed') };
    },
  },
  { name: 'bundle', command: [node, join(root, 'scripts', 'bundle.mjs'), '--check'] },
  { name: 'demo', command: [node, join(root, 'build', 'proofs', 'demo.js'), '--json'] },
  ...proofs.map(
    ({ name }): Check => ({
      name: `proof ${name}`,
      command: [node, join(root, 'build', 'proofs', 'main.js'), name, '--small', '--json'],
    }),
  ),
];

/** Runs one check, showing what it prints, and counts. */
async function run({ name, command, env, count }: Check): Promise<{ passed: number; failed: number }> {
  const [program = '', ...args] = command;
  process.stdout.write(`\n== ${name}\n`);
  const started = performance.now();
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const show = (chunk: Buffer): void => {
    output += chunk.toString();
    process.stdout.write(chunk);
  };
  child.stdout.on('data', show);
  child.stderr.on('data', show);
  const stop = (): void => void child.kill('SIGTERM');
  process.once('SIGINT', stop).once('SIGTERM', stop);
  const code = await new Promise<number | null>((resolve) =>
    child.once('close', resolve).once('error', () => resolve(1)),
  );
  process.removeListener('SIGINT', stop).removeListener('SIGTERM', stop);
  const counted = count?.(output) ?? { passed: code === 0 ? 1 : 0, failed: 0 };
  const failed = code === 0 ? counted.failed : Math.max(counted.failed, 1);
  process.stdout.write(
    `== ${name}: ${failed === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(0)} s)\n`,
  );
  return { passed: counted.passed, failed };
}

let [passed, failed] = [0, 0];
for (const check of checks) {
  const counted = await run(check);
  passed += counted.passed;
  failed += counted.failed;
}
process.stdout.write(`\n${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
