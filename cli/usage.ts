import { closestMatch } from 'leven';
import { McprtError } from '../shared/errors.js';

/** So many letters a slip changes, adds or leaves out. */
const farthest = 3;

/** What is wrong with a command line. It is told before anything is done. */
export function usage(what: string, why: string, next: string): McprtError {
  return new McprtError('command-usage', { what, why, next });
}

/**
 * A word of the command line that is none of some words. It is shown only where it is nearly one of them, or is a word of
 * the command elsewhere: what stands in the wrong place may be a secret.
 *
 * @param meant what the word is elsewhere, as it is written there
 */
export function misspelt(
  word: string,
  words: readonly string[],
  meant: readonly string[] = [],
): { shown: string; hint: string } {
  const closest = word.length > 40 ? undefined : closestMatch(word, words, { maxDistance: farthest });
  const likely = meant.length > 0 ? meant : closest === undefined ? [] : [closest];
  if (likely.length === 0) return { shown: '', hint: '' };
  return { shown: ` \`${word}\``, hint: `did you mean ${likely.map((one) => `\`${one}\``).join(' or ')}? ` };
}
