import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The one that GitHub goes by is the first of these. */
const ownerFiles = [join('.github', 'CODEOWNERS'), 'CODEOWNERS', join('docs', 'CODEOWNERS')];

/** Who must review a change of the workflows of a prefix; empty when nobody must. */
export async function ownersOfWorkflows(root: string, prefix: string): Promise<string> {
  for (const file of ownerFiles) {
    const text = await readFile(join(root, file), 'utf8').catch(() => undefined);
    if (text !== undefined) return ownersIn(text, `.github/workflows/${prefix}-deploy.yml`);
  }
  return '';
}

/** Who owns a file by a CODEOWNERS text, where the last pattern that fits counts; empty for nobody. */
export function ownersIn(text: string, file: string): string {
  return text
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '')
    .reduce((owners, line) => {
      const [pattern = '', ...named] = line.split(/\s+/);
      return formOf(pattern).test(file) ? named.join(' ') : owners;
    }, '');
}

/** A pattern of .gitignore's, as far as CODEOWNERS knows them. */
function formOf(pattern: string): RegExp {
  const isAnchored = pattern.replace(/\/$/, '').includes('/');
  const body = pattern
    .replace(/^\//, '')
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map((part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      return part === '?' ? '[^/]' : part.replace(/[.+^${}()|[\]\\]/g, '\\$&');
    })
    .join('');
  // A folder's name is one of all that is in it; `folder/*` is one of what is right in it.
  const end = pattern.endsWith('/') ? '' : pattern.endsWith('/*') ? '$' : '(?:/|$)';
  return new RegExp(`^${isAnchored ? '' : '(?:.*/)?'}${body}${end}`);
}
