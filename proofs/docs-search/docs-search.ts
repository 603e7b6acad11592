import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Page } from 'puppeteer-core';
import * as z from 'zod';
import { root } from '../../lab/driver/folders.js';
import { openBrowser } from '../pictures/browser.js';
import { NotRun, type Proof, type ProofContext } from '../support/proof.js';
import { serveFolder } from './serve.js';

/** For the site to be built, in ms. */
const buildWithin = 120_000;
/** For a page to be opened, and for a query to be answered, in ms. */
const patience = 30_000;
/** Of the results, from the first one on: further down nobody looks. */
const looked = 3;

const pageShape = z.object({ title: z.string(), ids: z.array(z.string()), links: z.array(z.string()) });
type Opened = z.infer<typeof pageShape>;

export const docsSearch: Proof = {
  name: 'docs-search',
  claim:
    'the docs as a site: more than 50 searches typed in a browser have the right page among the first three; every page opens without an error, every link and anchor leads somewhere',
  async run(context) {
    const browser = await openBrowser(context.env, context.progress);
    if (typeof browser === 'string') throw new NotRun(browser);
    const folder = join(context.folder, 'site');
    const main = join(root, 'build', 'scripts', 'site', 'main.js');
    await promisify(execFile)(process.execPath, [main, '--out', folder], { timeout: buildWithin });
    const { address, close } = await serveFolder(folder);
    try {
      const page = await browser.newPage();
      page.setDefaultTimeout(patience);
      noteErrors(page, context);
      const links = await openAll(page, address, folder, context);
      return { ...links, ...(await askAll(page, address, context)) };
    } finally {
      await browser.close();
      await close();
    }
  },
};

/** What a reader would never see, and what is broken all the same. */
function noteErrors(page: Page, { fail }: ProofContext): void {
  page.on('pageerror', (error) => fail(`${page.url()}: ${String(error)}`));
  page.on('console', (message) => {
    if (message.type() === 'error') fail(`${page.url()}: ${message.text()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) fail(`${page.url()}: ${response.url()} is answered with ${response.status()}`);
  });
  page.on('requestfailed', (request) => fail(`${page.url()}: ${request.url()} cannot be loaded`));
}

/** Opens every page, and holds every link of it against what was opened. */
async function openAll(
  page: Page,
  address: string,
  folder: string,
  { expect }: ProofContext,
): Promise<{ pages: number; links: number }> {
  const opened = new Map<string, Opened>();
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.html')).sort();
  for (const file of files) {
    await page.goto(address + file, { waitUntil: 'load' });
    const seen = await page.evaluate(`JSON.stringify({
      title: document.querySelector('h1')?.textContent ?? '',
      ids: [...document.querySelectorAll('[id]')].map(({ id }) => id),
      links: [...document.links].map(({ href }) => href),
    })`);
    const found = pageShape.parse(JSON.parse(String(seen)));
    expect(found.title !== '', `${file} has no title`);
    opened.set(address + file, found);
  }
  let links = 0;
  for (const [from, { links: all }] of opened) {
    for (const link of new Set(all)) {
      if (!link.startsWith(address)) continue;
      links++;
      const [target = '', anchor = ''] = link.split('#');
      const there = opened.get(target);
      expect(there !== undefined, `${from} leads to ${target}, which is no page`);
      const isFound = anchor === '' || there?.ids.includes(decodeURIComponent(anchor));
      expect(isFound === true, `${from} leads to ${link}, which has no such anchor`);
    }
  }
  expect(links > 500, `only ${links} links were looked at`);
  return { pages: opened.size, links };
}

/** Types every search as a reader would. */
async function askAll(
  page: Page,
  address: string,
  { expect }: ProofContext,
): Promise<{ searches: number; foundFirst: number }> {
  const file = join(root, 'proofs', 'docs-search', 'queries.json');
  const queries = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(file, 'utf8')));
  await page.goto(`${address}index.html`);
  let foundFirst = 0;
  for (const [query, wanted] of Object.entries(queries)) {
    const results = await ask(page, query);
    const shown = results.slice(0, looked).map((links) => links.map((link) => link.slice(address.length)));
    const at = shown.findIndex((links) => links.some((link) => link === wanted || link.split('#')[0] === wanted));
    if (at === 0) foundFirst++;
    expect(at >= 0, `“${query}” must find ${wanted}, and finds ${shown.map(([first]) => first).join(', ')}`);
  }
  expect((await ask(page, 'zzyzx qwrtpsdfg')).length === 0, 'what is nowhere is found');
  await followFirst(page, address, expect);
  return { searches: Object.keys(queries).length, foundFirst };
}

/** @returns the links of each result, the best one first */
async function ask(page: Page, query: string): Promise<string[][]> {
  await page.evaluate(`document.querySelector('input[type=search]').value = ''`);
  await page.type('input[type=search]', query);
  await page.waitForFunction(`document.querySelector('#results').dataset.query === ${JSON.stringify(query)}`);
  const links = await page.evaluate(
    `JSON.stringify([...document.querySelectorAll('#results li')].map((one) => [...one.querySelectorAll('a')].map(({ href }) => href)))`,
  );
  const all = z.array(z.array(z.string())).parse(JSON.parse(String(links)));
  return all.filter((one) => one.length > 0);
}

/** Enter opens the first result, where it stands on its page. */
async function followFirst(page: Page, address: string, expect: ProofContext['expect']): Promise<void> {
  const [[first = ''] = []] = await ask(page, 'pod-crash-loop');
  await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  expect(page.url() === first, `Enter leads to ${page.url()} in place of ${first}`);
  expect(first === `${address}docs/troubleshooting.html#pod-crash-loop`, `a code leads to ${first}`);
  const top = await page.evaluate(`document.querySelector(':target').getBoundingClientRect().top`);
  expect(Number(top) >= 0 && Number(top) < 400, `the entry stands ${top} pixels below the top`);
}
