// Builds the docs as a site into build/site; with --serve, shows them on this machine and builds them again when one changes.
//   npm run site [-- --serve] [-- --out FOLDER]
import { spawn } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { commandLine } from '../../lab/driver/command-line.js';
import { root } from '../../lab/driver/folders.js';

const { values } = commandLine('npm run site -- [--serve] [--out FOLDER]', {
  options: { serve: { type: 'boolean', default: false }, out: { type: 'string', default: join('build', 'site') } },
});

// What has no source any more goes.
await rm(values.out, { recursive: true, force: true });
const eleventy = join(root, 'node_modules', '@11ty', 'eleventy', 'cmd.cjs');
const config = join('build', 'scripts', 'site', 'config.js');
const words = ['--quiet', `--config=${config}`, `--output=${relative(root, values.out)}`];
const child = spawn(process.execPath, [eleventy, ...words, ...(values.serve ? ['--serve'] : [])], {
  cwd: root,
  stdio: 'inherit',
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => child.kill(signal));
child.once('close', (code) => {
  process.exitCode = code ?? 1;
});
