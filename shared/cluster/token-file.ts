import { readFile } from 'node:fs/promises';
import { McprtError } from '../errors.js';
import type { TokenSource } from './token-source.js';

/** How long a token of a file is used before the file is looked at again, in ms: as Kubernetes' own client does. */
const rereadAfter = 60_000;

/**
 * The token that a file holds, which somebody else keeps fresh: a kubeconfig's `tokenFile`.
 *
 * @param token used as long as the file cannot be read
 * @param onSecrets told of each token before it is used
 */
export function fileTokens(
  path: string,
  { token: written = '', onSecrets }: { token?: string; onSecrets: (secrets: string[]) => void },
  clock: () => number = () => performance.now(),
): TokenSource {
  let held: { token: string; at: number } | undefined;
  return {
    async current() {
      if (held !== undefined && clock() - held.at < rereadAfter) return held.token;
      const text = await readFile(path, 'utf8').catch(() => '');
      // One that is being replaced, or away for a moment, is no reason to give up a token that may still be good.
      const token = text.trim() || (held?.token ?? written);
      if (token === '') {
        throw new McprtError('kubeconfig-invalid', {
          what: 'the file with the token of the kubeconfig cannot be read',
          why: 'its `tokenFile` is not there, or is empty',
          next: 'check that the path exists on this machine, or put the token itself into the kubeconfig',
        });
      }
      if (token !== held?.token) onSecrets([token]);
      held = { token, at: clock() };
      return token;
    },
    refused: () => false,
  };
}
