import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Browser } from 'puppeteer-core';
import { parsedJson } from '../../shared/json.js';
import { openBrowser, showPage } from './browser.js';
import { pageOf } from './page.js';

/** In pixels: a screen on which people review, and a telephone. */
const widths = [1200, 400] as const;

export interface Pictures {
  /** How many there are, or why there are none. */
  told: string;
  problems: string[];
}

interface Drawing {
  env: NodeJS.ProcessEnv;
  progress: (line: string) => void;
  /** Where the pictures go; what is there goes. */
  to: string;
}

/**
 * Draws every summary that the runs below a folder wrote, as GitHub shows it, and looks at what a browser makes of it: nothing is
 * cut, every picture in it is drawn, and what failed is on the first screen.
 */
export async function drawSummaries(folder: string, { env, progress, to }: Drawing): Promise<Pictures> {
  await rm(to, { recursive: true, force: true });
  await mkdir(to, { recursive: true });
  const browser = await openBrowser(env, progress);
  if (typeof browser === 'string') {
    progress(`  no browser (${browser}): no summary was looked at`);
    return { told: `none: ${browser}`, problems: [] };
  }
  const [drawn, problems]: [string[], string[]] = [[], []];
  try {
    for (const [at, markdown] of (await summariesBelow(folder)).entries()) {
      await writeFile(join(to, `${String(at + 1).padStart(3, '0')}-${nameOf(markdown)}.md`), markdown);
      for (const width of widths) await draw(browser, { markdown, width, to, at }, { drawn, problems });
    }
  } finally {
    await browser.close();
  }
  if (drawn.length === 0) problems.push('no run has written a summary');
  return { told: `${drawn.length}, in build/pictures`, problems };
}

async function draw(
  browser: Browser,
  { markdown, width, to, at }: { markdown: string; width: number; to: string; at: number },
  { drawn, problems }: { drawn: string[]; problems: string[] },
): Promise<void> {
  const name = `${String(at + 1).padStart(3, '0')}-${nameOf(markdown)}-${width}`;
  const file = join(to, `${name}.html`);
  const html = await pageOf(markdown, { isWide: width === widths[0] });
  const page = await showPage(browser, { file, html, viewport: { width, height: 800 } });
  try {
    const found = parsedJson(String(await page.evaluate('document.body.dataset.problems')));
    for (const problem of Array.isArray(found) ? found : ['nothing was looked at'])
      problems.push(`${name}: ${problem}`);
    const path = join(to, `${name}.png`);
    await page.screenshot({ path: path as `${string}.png`, fullPage: true });
    drawn.push(path);
  } finally {
    await page.close();
  }
}

/** Of summaries, and of a pull request’s comments. */
const readable = /^(?:summary(?:\.md|-\d+)|comment-.*\.md)$/;

/** By the time at which they were written, without those that say the same. */
async function summariesBelow(folder: string): Promise<string[]> {
  const files = (await readdir(folder, { recursive: true })).filter((path) => readable.test(basename(path)));
  const read = await Promise.all(
    files.map(async (path) => {
      const file = join(folder, path);
      return { text: await readFile(file, 'utf8'), at: (await stat(file)).mtimeMs };
    }),
  );
  const texts = read.sort((one, other) => one.at - other.at).map(({ text }) => text);
  const told = texts.filter((text) => text.trim() !== '');
  return [...new Map(told.map((text) => [text.replace(/\d+/g, '0'), text])).values()];
}

/** A file name of the first words. */
function nameOf(markdown: string): string {
  const words = markdown.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return words.slice(0, 8).join('-').slice(0, 60);
}
