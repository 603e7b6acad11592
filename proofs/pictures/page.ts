import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { marked } from 'marked';

const require = createRequire(import.meta.url);
const mermaid = join(dirname(require.resolve('mermaid')), 'mermaid.min.js');

/** A file of an installed package, as a page names it. */
const address = (path: string): string => pathToFileURL(path).href;

/** In pixels from the top: where the eye has been in five seconds. */
const firstScreen = 600;

export interface PageOptions {
  isWide: boolean;
  scheme?: 'light' | 'dark';
}

/**
 * A summary as a page of its own, as GitHub shows it: its flavour of Markdown, its stylesheet, and blocks of Mermaid drawn.
 * When there is nothing left to draw, `data-problems` is on the body: a JSON list of what a reader would stumble over.
 *
 * @param isWide whether everything must be seen without moving it: a telephone may move tables
 */
export async function pageOf(markdown: string, { isWide, scheme = 'light' }: PageOptions): Promise<string> {
  const stylesheet = require.resolve(`github-markdown-css/github-markdown-${scheme}.css`);
  const body = await marked.parse(markdown, { gfm: true, async: true });
  return `<!doctype html>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<link rel="stylesheet" href="${address(stylesheet)}">
<style>body { margin: 0; background: ${scheme === 'dark' ? '#0d1117' : '#fff'} } .markdown-body { box-sizing: border-box; max-width: 1012px; margin: 0 auto; padding: 16px }</style>
<article class="markdown-body">${body}</article>
<script src="${address(mermaid)}"></script>
<script type="module">
  const problems = [];
  for (const code of document.querySelectorAll('code.language-mermaid')) {
    const picture = Object.assign(document.createElement('div'), { className: 'mermaid', textContent: code.textContent });
    code.parentElement.replaceWith(picture);
  }
  // What is folded away is read as well.
  const folded = [...document.querySelectorAll('details')];
  for (const one of folded) one.open = true;
  mermaid.initialize({ startOnLoad: false, theme: '${scheme === 'dark' ? 'dark' : 'default'}' });
  await mermaid.run().catch((error) => problems.push('Mermaid does not draw it: ' + (error.message ?? error)));
  if (document.documentElement.scrollWidth > window.innerWidth) problems.push('the page is wider than the window');
  const cut = [...document.querySelectorAll('table, pre')].filter((one) => one.scrollWidth > one.clientWidth);
  if (${isWide}) problems.push(...cut.map((one) => 'cut: ' + one.textContent.trim().slice(0, 200)));
  for (const one of folded) one.open = false;
  const texts = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT);
  const place = document.createRange();
  let top = 0;
  while (top === 0 && texts.nextNode()) {
    if (!/❌|🚨/u.test(texts.currentNode.data)) continue;
    place.selectNode(texts.currentNode);
    top = Math.round(place.getBoundingClientRect().top);
  }
  if (top > ${firstScreen}) problems.push('what failed is told ' + top + ' pixels below the top');
  document.body.dataset.problems = JSON.stringify(problems);
</script>
`;
}
