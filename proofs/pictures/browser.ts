import { access, constants, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer, { type Browser, type Page, type Viewport } from 'puppeteer-core';
import { installDebian } from '../../lab/driver/debian.js';
import { messageOf } from '../../shared/errors.js';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
/** For one page to be drawn, in ms. */
const patience = 30_000;
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

/** Writes a page of `pageOf` to a file and opens it; ends when there is nothing left to draw. The caller closes it. */
export async function showPage(
  browser: Browser,
  { file, html, viewport }: { file: string; html: string; viewport: Viewport },
): Promise<Page> {
  await writeFile(file, html);
  const page = await browser.newPage();
  try {
    await page.setViewport(viewport);
    await page.goto(pathToFileURL(file).href);
    await page.waitForSelector('body[data-problems]', { timeout: patience });
    return page;
  } catch (error) {
    await page.close();
    throw error;
  }
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
