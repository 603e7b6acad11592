// Prints the notes of a release, or says why there can be none: node build/scripts/release.js VERSION
import { execFileSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../lab/driver/folders.js';
import { McprtError } from '../shared/errors.js';
import { releaseNotes } from './release-notes.js';

const [changelog, text] = await Promise.all(
  ['CHANGELOG.md', 'package.json'].map((name) => readFile(join(root, name), 'utf8')),
);
const { version: packaged } = z.object({ version: z.string() }).parse(JSON.parse(text ?? ''));
const tags = execFileSync('git', ['tag', '--list'], { cwd: root, encoding: 'utf8' }).split('\n');
try {
  const notes = releaseNotes({ version: process.argv[2] ?? '', packaged, changelog: changelog ?? '', tags });
  process.stdout.write(`${notes}\n`);
} catch (error) {
  if (!(error instanceof McprtError)) throw error;
  process.stderr.write(`${error.message}: ${error.why}\n${error.next}\n`);
  process.exitCode = 1;
}
