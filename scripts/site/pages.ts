import { readdir } from 'node:fs/promises';
import { basename, dirname, join, posix } from 'node:path';
import { root } from '../../lab/driver/folders.js';

/** Pages that belong together in the menu, by their source from the root. */
export interface Group {
  title: string;
  sources: readonly string[];
}

const docs = (...names: string[]): string[] => names.map((name) => `docs/${name}.md`);

/** The menu, but for the decisions: each of them is in the index that the last group has. */
export const menu: readonly Group[] = [
  { title: 'Start', sources: ['README.md', ...docs('getting-started', 'migration', 'first-try')] },
  {
    title: 'Actions',
    sources: ['action-backup', 'action-setup', 'action-rollout', 'action-smoke-test'].map(
      (name) => `${name}/README.md`,
    ),
  },
  {
    title: 'Use',
    sources: docs(
      ...[
        'workflows',
        'runners',
        'environments',
        'notifications',
        'command-line',
        'keys',
        'keyless',
        'vault',
        'permissions',
      ],
      ...['stores', 'drill', 'costs', 'releases', 'upgrade', 'uninstall'],
    ),
  },
  { title: 'When something fails', sources: docs('faq', 'rate-limited', 'troubleshooting', 'break-glass') },
  { title: 'Behind it', sources: docs('how-it-works', 'guarantees', 'versions', 'speed') },
  {
    title: 'Project',
    sources: [
      ...docs('architecture', 'decisions/README', 'lab'),
      ...['CONTRIBUTING.md', 'docs/words.md', 'SECURITY.md', 'CHANGELOG.md'],
    ],
  },
];

const decisions = 'docs/decisions';

/** Every page of the site, by its source from the root. */
export async function readSources(): Promise<string[]> {
  const inMenu = menu.flatMap(({ sources }) => sources);
  const names = (await readdir(join(root, decisions))).filter((name) => name.endsWith('.md'));
  return [...new Set([...inMenu, ...names.map((name) => `${decisions}/${name}`)])];
}

/** Where a source is on the site, from its root: links between pages keep their form, and only the ending becomes another. */
export function addressOf(source: string): string {
  const file = basename(source) === 'README.md' ? 'index.html' : basename(source).replace(/\.md$/, '.html');
  return posix.join(dirname(source), file);
}

/** From the folder of one page to the root of the site, as `../`; empty at the root. */
export function wayToRoot(address: string): string {
  return '../'.repeat(address.split('/').length - 1);
}
