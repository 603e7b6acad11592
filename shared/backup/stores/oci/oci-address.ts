import { parseReference } from '../../../images/reference.js';
import { withoutEndSlashes } from '../../../text.js';

/** A repository of a registry. */
export interface OciAddress {
  /** Where the registry's paths are. */
  origin: string;
  /** With the port, where there is one. */
  host: string;
  /** Path of the repository in the registry. */
  repository: string;
  /** As a person and `oras` name it. */
  shown: string;
}

/** What people call Docker's own registry, and where it answers. */
const docker = { name: 'docker.io', host: 'registry-1.docker.io' } as const;

/**
 * Reads `HOST/PATH`. Repositories have no capitals, and owners on GitHub may: they are made small. A registry that is asked by
 * http is named with it.
 *
 * @returns undefined for text that is none, or that names a tag or digest
 */
export function parseOciAddress(text: string): OciAddress | undefined {
  const [, scheme = 'https', given = ''] = /^(?:(https?|oci):\/\/)?(.+)$/.exec(text.trim()) ?? [];
  const rest = withoutEndSlashes(given);
  const slash = rest.indexOf('/');
  if (slash < 1) return undefined;
  const host = rest.slice(0, slash).toLowerCase();
  const found = parseReference(`${host}${rest.slice(slash).toLowerCase()}`);
  if (found === undefined || found.host === '' || found.tag !== '' || found.digest !== '') return undefined;
  const origin = `${scheme === 'http' ? 'http' : 'https'}://${host === docker.name ? docker.host : host}`;
  if (!URL.canParse(origin)) return undefined;
  return { origin, host, repository: found.path, shown: `${host}/${found.path}` };
}

/** What takes all that is in a registry. */
export function ociFate({ host }: OciAddress): string {
  return `the registry ${host}`;
}
