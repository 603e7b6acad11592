import MiniSearch from 'minisearch';

/** What is found: a heading of a page with the text below it. */
export interface Section {
  /** Its address, from the root of the site. */
  id: string;
  /** Title of the page. */
  page: string;
  /** Empty for what stands before the first heading. */
  heading: string;
  text: string;
}

/** A page that fits, with its sections that fit best. */
export interface Found {
  page: string;
  sections: Section[];
}

/** Words of questions that say nothing of what is asked. */
const empty = new Set(
  'a an and are as at be by can do does for from get has have how i if in is it its my no not of on or our so that the there this to we what when where which who why will with you your'.split(
    ' ',
  ),
);
const sectionsOfPage = 3;
/** Pages for whoever changes mcprt: people with a question mean them last. */
const forContributors =
  /^(?:CHANGELOG|CONTRIBUTING|SECURITY|docs\/(?:architecture|decisions|first-try|guarantees|lab|speed))\b/;

/** @returns whom to ask: pages by the best of their sections, the best one first */
export function makeSearch(sections: readonly Section[]): (query: string) => Found[] {
  const index = new MiniSearch<Section>({
    fields: ['page', 'heading', 'text'],
    processTerm: termsOf,
    searchOptions: {
      boost: { page: 4, heading: 3 },
      boostDocument: (id) => (forContributors.test(String(id)) ? 0.3 : 1),
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.15 : 0),
    },
  });
  index.addAll(sections);
  const byId = new Map(sections.map((section) => [section.id, section]));
  return (query) => {
    const pages = new Map<string, Found>();
    const ranked = index
      .search(query)
      // One rare word that is there all over must not outweigh that the others are missing.
      .map(({ id, score, queryTerms }) => ({ id, score: score * new Set(queryTerms).size ** 2 }))
      .sort((one, other) => other.score - one.score);
    for (const { id } of ranked) {
      const section = byId.get(id);
      if (section === undefined) continue;
      const [address = ''] = section.id.split('#');
      const found = pages.get(address) ?? { page: section.page, sections: [] };
      if (found.sections.length < sectionsOfPage) found.sections.push(section);
      pages.set(address, found);
    }
    return [...pages.values()];
  };
}

/** What is indexed of a word, and asked for: itself, and of a name such as `ImagePullBackOff` its parts as well. */
function termsOf(word: string): string[] | null {
  const parts = word.match(/[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+/g) ?? [];
  const isName = parts.length > 1 && parts.join('') === word;
  const words = [word, ...(isName ? parts : [])].map((one) => one.toLowerCase()).filter((one) => !empty.has(one));
  return words.length === 0 ? null : words.map(stemOf);
}

/** A word without the ending that one form of it has and another has not: `keys` and `key`, `restored` and `restore`. */
function stemOf(word: string): string {
  return word.length > 4 ? word.replace(/(?:ies|es|s|ed|ing|e)$/, '') : word.replace(/s$/, '');
}
