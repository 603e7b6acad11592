import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** For the lists and the packages, one after another where several ask, in ms. */
const installWithin = 600_000;

/**
 * Installs packages of Debian's, or Ubuntu's, one caller of this machine after the other: apt-get fails where another one runs.
 *
 * @throws what apt-get said
 */
export async function installDebian(packages: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  const options = { env: { ...env, DEBIAN_FRONTEND: 'noninteractive' }, timeout: installWithin, maxBuffer: 1 << 26 };
  const apt = (...words: string[]): string => `apt-get ${words.join(' ')}`;
  const commands = [apt('update', '-q'), apt('install', '-q', '-y', '--no-install-recommends', ...packages)];
  await run('flock', [join(tmpdir(), 'mcprt-apt-get'), 'sh', '-ec', commands.join(' && ')], options);
}
