import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { drillPostAction } from './post.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcprt-drill-'));
});
afterEach(async () => {
  delete process.env.STATE_folder;
  await rm(folder, { recursive: true, force: true });
});

it('ends what a killed drill has left running, and takes its folder away; what is not its own stays', async () => {
  const own = join(folder, 'own');
  await mkdir(join(own, 'labs'), { recursive: true });
  await writeFile(join(own, 'labs', 'secret'), '');
  const waiting = (home: string) =>
    spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { env: { HOME: home }, stdio: 'ignore' });
  const [left, other] = [waiting(join(own, 'labs', 'drill-1')), waiting(`${own}-other/labs`)];
  const ended = new Promise((resolve) => left.once('exit', (_, signal) => resolve(signal)));
  await Promise.all([left, other].map((child) => new Promise((resolve) => child.once('spawn', resolve))));
  process.env.STATE_folder = own;
  await drillPostAction();
  expect(await ended).toBe('SIGKILL');
  expect(other.exitCode).toBe(null);
  expect(other.signalCode).toBe(null);
  other.kill();
  expect(existsSync(own)).toBe(false);
});

it('does nothing where there was no drill', async () => {
  await drillPostAction();
  expect(existsSync(folder)).toBe(true);
});
