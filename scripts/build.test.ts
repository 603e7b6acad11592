import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { root } from '../lab/driver/folders.js';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcprt-build-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const path = (name: string): string => join(folder, name);
const write = (name: string, text: string): void => {
  mkdirSync(dirname(path(name)), { recursive: true });
  writeFileSync(path(name), text);
};
const build = (): void => void execFileSync(process.execPath, [path('scripts/build.mjs')], { stdio: 'pipe' });

test('compiles what has changed, drops what has no source, restores what is missing, and else touches nothing', () => {
  for (const name of ['scripts/build.mjs', 'package.json', 'package-lock.json']) cpSync(join(root, name), path(name));
  const { compilerOptions, exclude } = JSON.parse(readFileSync(join(root, 'tsconfig.json'), 'utf8'));
  // As ours, without the types of Node and of the language, which the sources here have no use for.
  const small = { ...compilerOptions, types: [], lib: ['ES5'] };
  write('tsconfig.json', JSON.stringify({ compilerOptions: small, include: ['shared'], exclude }));
  symlinkSync(join(root, 'node_modules'), path('node_modules'));
  write('shared/a.ts', 'export const a: number = 1;\n');
  write('shared/gone.test.ts', 'export const gone = 1;\n');
  build();
  const written = (): number => statSync(path('build/shared/a.js')).mtimeMs;
  const first = written();
  build();
  expect(written()).toBe(first);

  rmSync(path('shared/gone.test.ts'));
  build();
  expect([existsSync(path('build/shared/gone.test.js')), written()]).toEqual([false, first]);

  write('shared/a.ts', 'export const a: number = 2;\n');
  build();
  expect(readFileSync(path('build/shared/a.js'), 'utf8')).toContain('a = 2');

  rmSync(path('build/shared/a.js'));
  write('shared/b.ts', 'export const b = 1;\n');
  build();
  expect(existsSync(path('build/shared/a.js'))).toBe(true);

  write('shared/a.ts', "export const a: number = 'no number';\n");
  expect(build).toThrow('build.mjs');
  write('shared/a.ts', 'export const a: number = 3;\n');
  build();
  expect(readFileSync(path('build/shared/a.js'), 'utf8')).toContain('a = 3');
});

const one = { version: '1.0.0', integrity: 'sha512-one' };
const other = { version: '1.0.0', integrity: 'sha512-other', optional: true, os: ['plan9'], cpu: ['pdp11'] };
const native = { version: '1.0.0', integrity: 'sha512-native', optional: true };
const ours = { ...native, os: [process.platform], cpu: process.arch };
const lock = (packages: Record<string, unknown>): string => JSON.stringify({ packages });

test.each([
  ['what is locked', true, {}, {}],
  ['without what other machines need', true, { 'node_modules/other': other }, {}],
  ['without what only some machines need, and npm knows which', true, { 'node_modules/native': native }, {}],
  ['without what this machine needs', false, { 'node_modules/native': ours }, {}],
  [
    'noted by npm as left out',
    false,
    { 'node_modules/native': ours },
    { 'node_modules/native': { ...ours, ideallyInert: true } },
  ],
  ['another version', false, {}, { 'node_modules/one': { ...one, version: '1.0.1' } }],
  ['another content', false, {}, { 'node_modules/one': { ...one, integrity: 'sha512-two' } }],
  ['one that is not locked', false, {}, { 'node_modules/two': one }],
  ['without one that is locked since', false, { 'node_modules/two': one }, {}],
  ['noted, and not there', false, { 'node_modules/lost': one }, { 'node_modules/lost': one }],
])('%s counts as installed: %s', async (_, wanted, locked, installed) => {
  write('node_modules/one/package.json', '{}');
  write('node_modules/two/package.json', '{}');
  write('node_modules/native/package.json', '{}');
  write('package-lock.json', lock({ '': {}, 'node_modules/one': one, ...locked }));
  const { isInstalled } = await import(pathToFileURL(join(root, 'scripts', 'installed.mjs')).href);
  expect(isInstalled(folder)).toBe(false);
  write('node_modules/.package-lock.json', lock({ 'node_modules/one': one, ...installed }));
  expect(isInstalled(folder)).toBe(wanted);
});
