// What the pages run: the search, whose index is made when somebody first types, and the menu, which is closed on a telephone.
import { makeSearch } from './search.ts';

const root = document.body.dataset.root ?? '';
const input = document.querySelector('input[type=search]');
const list = document.querySelector('#results');
const menu = document.querySelector('details.menu');
if (window.matchMedia('(max-width: 900px)').matches) menu.open = false;

/** Results that are shown at once. */
const most = 8;
/** Of a section's text, around what was found. */
const excerptLength = 160;

let search;
const ready = () => {
  search ??= fetch(`${root}assets/search.json`)
    .then((response) => response.json())
    .then(makeSearch);
  return search;
};

const element = (name, text, attributes = {}) =>
  Object.assign(document.createElement(name), { textContent: text, ...attributes });

/** Where the words of a query stand in a text, or its beginning. */
const excerptOf = (text, query) => {
  const words = query.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? [];
  const found = words.map((word) => text.toLowerCase().indexOf(word)).filter((at) => at >= 0);
  const near = Math.max(0, Math.min(...(found.length === 0 ? [0] : found)) - 40);
  const from = near === 0 ? 0 : text.indexOf(' ', near) + 1;
  return `${from > 0 ? '…' : ''}${text.slice(from, from + excerptLength).trim()}…`;
};

const show = (pages, query) => {
  list.replaceChildren(
    ...pages.slice(0, most).map(({ page, sections }) => {
      const item = document.createElement('li');
      for (const { id, heading, text } of sections) {
        const link = element('a', heading === '' ? page : `${page} › ${heading}`, { href: root + id });
        link.append(element('small', excerptOf(text, query)));
        item.append(link);
      }
      return item;
    }),
  );
  if (pages.length === 0) list.append(element('li', `Nothing is found for “${query}”.`));
  list.hidden = query === '';
  list.dataset.query = query;
};

const ask = async () => {
  const query = input.value.trim();
  const find = await ready();
  // While the index was on its way, more may have been typed.
  if (query === input.value.trim()) show(query === '' ? [] : find(query), query);
};

input.addEventListener('focus', ready);
input.addEventListener('input', ask);
document.addEventListener('keydown', (event) => {
  const isTyping = event.target instanceof HTMLInputElement;
  if (event.key === '/' && !isTyping) {
    event.preventDefault();
    input.focus();
  }
  if (event.key === 'Escape') list.hidden = true;
  if (event.key === 'Enter' && isTyping) list.querySelector('a')?.click();
});
document.addEventListener('click', (event) => {
  if (!event.target.closest('search') || event.target.closest('#results a')) list.hidden = true;
});
