import { readdir } from 'node:fs/promises';
import { posix } from 'node:path';

/** A page as it was written. */
export interface Written {
  address: string;
  html: string;
}

const attributes = /\s(?:href|src|srcset)="([^"]*)"/g;

/** Links that lead to no page, file or anchor of the site. @param files every other file of it */
export function deadLinks(pages: readonly Written[], files: ReadonlySet<string>): string[] {
  const anchors = new Map(
    pages.map(({ address, html }) => [address, new Set([...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id))]),
  );
  return pages.flatMap(({ address, html }) =>
    [...html.matchAll(attributes)].flatMap(([, href = '']) => {
      if (/^[a-z]+:/.test(href)) return [];
      const [path = '', anchor = ''] = href.replaceAll('&#39;', "'").split('#');
      const target = path === '' ? address : posix.join(posix.dirname(address), path);
      const ids = anchors.get(target);
      const isThere = ids === undefined ? files.has(target) : anchor === '' || ids.has(anchor);
      return isThere ? [] : [`${address}: ${href}`];
    }),
  );
}

/** Every file and folder below a folder, from there. */
export async function filesBelow(folder: string): Promise<Set<string>> {
  return new Set(await readdir(folder, { recursive: true }));
}
