import { McprtError } from '../errors.js';

/** Whom the API server is asked to take us for, as far as it lets us: `as`, `as-uid`, `as-groups`, `as-user-extra`. */
export interface Impersonation {
  user: string;
  /** Empty for none. */
  uid: string;
  groups: readonly string[];
  extra: Readonly<Record<string, readonly string[]>>;
}

/** The headers that ask for it. A header stands once for each of its values. */
export function impersonationHeaders({ user, uid, groups, extra }: Impersonation): Record<string, string | string[]> {
  return {
    'impersonate-user': user,
    ...(uid === '' ? {} : { 'impersonate-uid': uid }),
    ...(groups.length === 0 ? {} : { 'impersonate-group': [...groups] }),
    ...Object.fromEntries(
      Object.entries(extra).map(([key, values]) => [`impersonate-extra-${headerKey(key)}`, [...values]]),
    ),
  };
}

/**
 * The same for a WebSocket, which joins the values of a header to one.
 *
 * @throws McprtError `kubeconfig-invalid` where a header has several
 */
export function singleHeaders(headers: Readonly<Record<string, string | string[]>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => {
      const [first = '', ...more] = [value].flat();
      if (more.length === 0) return [name, first];
      throw new McprtError('kubeconfig-invalid', {
        what: 'a port-forward cannot ask for several groups at once',
        why: `the kubeconfig has several values for ${name}, and a WebSocket sends one`,
        next: 'give a kubeconfig whose user has the groups itself, or at most one entry in `as-groups`',
      });
    }),
  );
}

/** A key as a header's name may have it: what a token of HTTP cannot hold, and `%`, is percent-encoded. */
function headerKey(key: string): string {
  return [...Buffer.from(key, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return /[A-Za-z0-9!#$&'*+.^_`|~-]/.test(character)
        ? character
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
