// Runs a compiled program of this repository on a fresh clone: installs the locked packages when they are missing or
// of another lockfile, compiles, and starts the program on the Node version that the actions run on.
// Uses nothing but Node itself, because nothing else is there yet.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { isInstalled } from './installed.mjs';

const root = join(import.meta.dirname, '..');
const bin = join(root, 'node_modules', '.bin');

/** Install scripts of packages and the compiler have no use for the key that a drill is given. */
const { MCPRT_RESTORE_KEY: _, ...keyless } = process.env;

const must = (command, args) => {
  const run = spawnSync(command, args, { cwd: root, stdio: ['ignore', 2, 2], env: keyless });
  if (run.status !== 0) process.exit(run.status ?? 1);
};

if (!isInstalled(root)) {
  process.stderr.write('installing the locked packages (once, about half a minute)\n');
  must('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']);
}
must(process.execPath, [join(root, 'scripts', 'build.mjs')]);

const [program, ...args] = process.argv.slice(2);
const local = join(bin, 'node');
const child = spawn(existsSync(local) ? local : process.execPath, [join(root, program), ...args], {
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}${delimiter}${process.env.PATH}` },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.on('close', (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
