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

/** @returns whom to ask: pages by the best of their sections, the best one first */
export function makeSearch(sections: readonly Section[]): (query: string) => Found[] {
  const index = new MiniSearch<Section>({
    fields: ['page', 'heading', 'text'],
    processTerm: (term) => {
      const word = term.toLowerCase();
      return empty.has(word) ? null : stemOf(word);
    },
    searchOptions: {
      boost: { page: 4, heading: 3 },
      prefix: (term) => term.length > 3,
      fuzzy: (term) => (term.length > 5 ? 0.15 : 0),
    },
  });
  index.addAll(sections);
  const byId = new Map(sections.map((section) => [section.id, section]));
  return (query) => {
    const pages = new Map<string, Found>();
    for (const { id } of index.search(query)) {
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

/** A word without the ending that one form of it has and another has not: `keys` and `key`, `restored` and `restore`. */
function stemOf(word: string): string {
  return word.length > 4 ? word.replace(/(?:ies|es|s|ed|ing|e)$/, '') : word.replace(/s$/, '');
}
