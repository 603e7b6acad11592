import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import puppeteer, { type Browser } from 'puppeteer-core';
import { installDebian } from '../../lab/driver/debian.js';
import { messageOf } from '../../shared/errors.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const packages = ['chromium', 'fonts-noto-color-emoji', 'fonts-liberation'];

/**
 * The browser of this machine; Debian's is installed where there is none, and who runs this may do so.
 *
 * @returns why there is none, in words, where none can be had
 */
export async function openBrowser(env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<Browser | string> {
  if ((await installed(env)) === undefined) {
    progress('  installing chromium');
    try {
      await installDebian(packages, env);
    } catch (error) {
      return `Chromium is not installed, and apt-get cannot install it: ${messageOf(error)}`;
    }
  }
  const executablePath = await installed(env);
  if (executablePath === undefined) return `none of ${names.join(', ')} is on the PATH`;
  // Its sandbox needs a user that is not root; what it shows is ours.
  return puppeteer.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--allow-file-access-from-files'],
  });
}

async function installed({ PATH = '' }: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of PATH.split(delimiter)) {
    for (const name of names) {
      const path = join(folder, name);
      const isThere = await access(path, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (isThere) return path;
    }
  }
  return undefined;
}
