import { spellingWithout } from '../spelling.js';
import { maskedLines } from './mask.js';

/**
 * Hands the digest of a plan on as an output that GitHub does not keep back: no text that is masked is a part of it.
 *
 * @param given secrets of the inputs: GitHub masks each line of them, however short it is
 * @returns spells a digest. @throws McprtError `github-masked`
 */
export function planSpelling(given: readonly string[], env: NodeJS.ProcessEnv): (digest: string) => string {
  const lines = given.flatMap((secret) => secret.split(/\r?\n/)).map((line) => line.trim());
  // GitHub also masks a value without the quotes around it.
  const ofInputs = lines.flatMap((line) => [line, line.replace(/^"(.*)"$/, '$1')]).filter((line) => line !== '');
  return (digest) => spellingWithout(digest, [...ofInputs, ...maskedLines()], Number(env.GITHUB_RUN_ATTEMPT) || 1);
}
