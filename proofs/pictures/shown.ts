import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';
import { openBrowser, showPage } from './browser.js';
import { pageOf } from './page.js';

/** A summary, or a comment, that the docs show. */
interface Shown {
  /** Of its text in proofs/pictures/shown, and of its pictures in docs/pictures. */
  name: string;
  /** Whose run writes it. */
  proof: string;
  /** Which one of that proof's: the first that says this. */
  says: RegExp;
}

export const shown: readonly Shown[] = [
  { name: 'rollout-done', proof: 'rollout', says: /Rolled out and verified: 9 changes/ },
  { name: 'rollout-failed', proof: 'rollout', says: /keeps crashing/ },
  { name: 'smoke-passed', proof: 'smoke', says: /All \d+ checks/ },
  { name: 'smoke-failed', proof: 'smoke-failures', says: /Isolation is broken/ },
  { name: 'preview-comment', proof: 'preview', says: /All \d+ checks passed/ },
  { name: 'drill-failed', proof: 'drill', says: /drill-orders/ },
  { name: 'restore', proof: 'speed', says: /^## Restore/ },
  { name: 'check-failed', proof: 'broken-worlds', says: /`?rate-limited`?/ },
];

const kept = join(root, 'proofs', 'pictures', 'shown');
const pictures = join(root, 'docs', 'pictures');
/** In pixels: every picture has this width, and at most this height. */
const size = { width: 1012, height: 760 } as const;

/**
 * Draws the pictures of the docs, for light and for dark pages, from texts that are kept beside this file. Where a proof has been run
 * with `--pictures`, what it wrote takes their place first.
 *
 * @returns how many
 * @throws Error where no browser can be had
 */
export async function drawShown(env: NodeJS.ProcessEnv, progress: (line: string) => void): Promise<number> {
  const browser = await openBrowser(env, progress);
  if (typeof browser === 'string') throw new Error(browser);
  await Promise.all([kept, pictures].map((folder) => mkdir(folder, { recursive: true })));
  const file = join(root, 'build', 'picture.html');
  try {
    for (const one of shown) {
      const markdown = await textOf(one);
      for (const scheme of ['light', 'dark'] as const) {
        const html = await pageOf(markdown, { isWide: true, scheme });
        const page = await showPage(browser, { file, html, viewport: size });
        const height = Number(await page.evaluate('document.querySelector("article").offsetHeight'));
        const path = join(pictures, `${one.name}-${scheme}.png`) as `${string}.png`;
        await page.screenshot({ path, clip: { x: 0, y: 0, width: size.width, height: Math.min(height, size.height) } });
        await page.close();
        progress(`${one.name}-${scheme}.png`);
      }
    }
  } finally {
    await browser.close();
  }
  return shown.length * 2;
}

async function textOf({ name, proof, says }: Shown): Promise<string> {
  const file = join(kept, `${name}.markdown`);
  const drawn = join(root, 'build', 'pictures', proof);
  for (const other of existsSync(drawn) ? (await readdir(drawn)).filter((one) => one.endsWith('.md')).sort() : []) {
    const text = await readFile(join(drawn, other), 'utf8');
    if (!says.test(text)) continue;
    await writeFile(file, text);
    return text;
  }
  return readFile(file, 'utf8');
}
