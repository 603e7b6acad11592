import { addressOf, type Group, wayToRoot } from './pages.js';
import type { Rendered } from './render.js';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A whole page: menu, search and what was rendered. @param titles of each source */
export function layOut(
  source: string,
  { title, html }: Rendered,
  menu: readonly Group[],
  titles: ReadonlyMap<string, string>,
): string {
  const address = addressOf(source);
  const up = wayToRoot(address);
  const link = (one: string): string => {
    const current = one === source ? ' aria-current="page"' : '';
    return `<li><a href="${up}${addressOf(one)}"${current}>${escaped(titles.get(one) ?? one)}</a></li>`;
  };
  const groups = menu.map(
    (group) => `<p>${escaped(group.title)}</p>\n<ul>\n${group.sources.map(link).join('\n')}\n</ul>`,
  );
  const name = title === 'mcprt' ? title : `${title} – mcprt`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>${escaped(name)}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${up}assets/github-markdown.css">
<link rel="stylesheet" href="${up}assets/style.css">
<script type="module" src="${up}assets/client.mjs"></script>
</head>
<body data-root="${up}">
<header>
<a class="home" href="${up}index.html">mcprt</a>
<search>
<input type="search" placeholder="Search: an error text, a question" aria-label="Search the docs" aria-controls="results" autocomplete="off" spellcheck="false">
<ol id="results" aria-live="polite" hidden></ol>
</search>
</header>
<details class="menu" open><summary>Pages</summary>
<nav aria-label="Pages">
${groups.join('\n')}
</nav>
</details>
<main class="markdown-body">
${html}</main>
</body>
</html>
`;
}
