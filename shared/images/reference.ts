/** An image reference in its parts. */
export interface Reference {
  /** `host` or `host:port`; empty for one of Docker's own registry. */
  host: string;
  /** Path in the registry, such as `mcp-platform-api`. */
  path: string;
  /** Empty when it has none. */
  tag: string;
  /** `sha256:…`; empty when it has none. */
  digest: string;
}

const label = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const hostForm = new RegExp(`^(?:${label}(?:\\.${label})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?$`);
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const pathForm = new RegExp(`^${component}(?:/${component})*$`);
const tagForm = /^\w[\w.-]{0,127}$/;
const digestForm = /^sha256:[0-9a-f]{64}$/;
/** Of host and path together. */
const longestName = 255;

/**
 * Reads an image reference (grammar of the distribution project, which Docker and Kubernetes share). A first component
 * with a dot, a port or a capital letter, or `localhost`, is a host.
 *
 * @returns undefined for text that is none
 */
export function parseReference(text: string): Reference | undefined {
  const [named = '', digest = '', ...more] = text.split('@');
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  const host = /[.:A-Z]/.test(first) || first === 'localhost' ? first : '';
  const rest = host === '' ? named : named.slice(slash + 1);
  const [path = '', tag = '', ...further] = rest.split(':');
  const isSound =
    more.length === 0 &&
    further.length === 0 &&
    (host === '' || hostForm.test(host)) &&
    pathForm.test(path) &&
    host.length + path.length < longestName &&
    (tag === '' ? !rest.includes(':') : tagForm.test(tag)) &&
    (digest === '' ? !text.includes('@') : digestForm.test(digest));
  return isSound ? { host, path, tag, digest } : undefined;
}

/** Text as a tag: what a tag may not hold becomes a dash. Empty when nothing is left. */
export function asTag(text: string): string {
  return text
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+/, '')
    .slice(0, 128);
}
