// How Eleventy builds the docs, from the Markdown files where they are: GitHub shows the same ones. main.ts starts it.
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { build } from 'esbuild';
import { root } from '../../lab/driver/folders.js';
import { layOut } from './layout.js';
import { deadLinks, filesBelow } from './links.js';
import { addressOf, menu, readSources } from './pages.js';
import { type Rendered, renderPage, type Site, titleOf } from './render.js';

interface PageData {
  page: { inputPath: string };
}

/** What is used of Eleventy's configuration, which has no types of its own. */
interface EleventyConfig {
  ignores: Set<string>;
  setTemplateFormats(formats: readonly string[]): void;
  addGlobalData(name: string, value: () => (data: PageData) => string): void;
  addPassthroughCopy(paths: string): void;
  setLibrary(name: 'md', library: { render(text: string, data: PageData): string }): void;
  on(event: 'eleventy.after', then: (built: Built) => Promise<void>): void;
}

interface Built {
  directories: { output: string };
  results: readonly { outputPath: string; content: string }[];
}

const from = join(root, 'scripts', 'site');
const stylesheet = createRequire(import.meta.url).resolve('github-markdown-css/github-markdown.css');

/** What each page needs besides its text: the search with everything that is found, the menu's script, the looks. */
async function writeAssets(folder: string, rendered: Iterable<Rendered>): Promise<void> {
  await mkdir(folder, { recursive: true });
  const sections = [...rendered].flatMap((page) => page.sections);
  await Promise.all([
    writeFile(join(folder, 'search.json'), JSON.stringify(sections)),
    // A .js below build/ that has no source is taken away by the next build.
    build({
      entryPoints: [join(from, 'client.js')],
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      bundle: true,
      minify: true,
      format: 'esm',
    }),
    cp(join(from, 'style.css'), join(folder, 'style.css')),
    cp(stylesheet, join(folder, 'github-markdown.css')),
  ]);
}

/** @throws where a link of the site leads to nothing */
async function checkLinks(folder: string, results: Built['results']): Promise<void> {
  const pages = results.map(({ outputPath, content }) => ({ address: relative(folder, outputPath), html: content }));
  const dead = deadLinks(pages, await filesBelow(folder));
  if (dead.length > 0) throw new Error(`${dead.length} links lead to nothing:\n  ${dead.join('\n  ')}`);
}

/** @param config Eleventy's */
export default async function configure(config: EleventyConfig): Promise<object> {
  const sources = await readSources();
  const repository = `https://github.com/${process.env.GITHUB_REPOSITORY || 'org/mcprt'}`;
  const site: Site = { sources: new Set(sources), repository };
  const titles = new Map<string, string>();
  for (const source of sources) titles.set(source, titleOf(await readFile(join(root, source), 'utf8')));
  const rendered = new Map<string, Rendered>();
  const sourceOf = ({ page }: PageData): string => page.inputPath.replace(/^\.\//, '');

  config.setTemplateFormats(['md']);
  for (const name of ['.github', 'build', 'dist', 'examples', 'lab', 'proofs', 'shared'])
    config.ignores.add(`${name}/**`);
  config.addGlobalData('permalink', () => (data) => addressOf(sourceOf(data)));
  config.addPassthroughCopy('docs/**/*.{png,svg}');
  config.setLibrary('md', {
    render(text, data) {
      const source = sourceOf(data);
      const page = renderPage(source, text, site);
      rendered.set(source, page);
      return layOut(source, page, menu, titles);
    },
  });
  config.on('eleventy.after', async ({ directories, results }) => {
    const folder = join(root, directories.output);
    await writeAssets(join(folder, 'assets'), rendered.values());
    await checkLinks(folder, results);
  });
  return { dir: { input: '.', output: 'build/site' }, markdownTemplateEngine: false };
}
