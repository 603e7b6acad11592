import { closestMatch } from 'leven';
import { McprtError } from '../shared/errors.js';

/** So many letters a slip changes, adds or leaves out. */
const farthest = 3;

/** What is wrong with a command line. It is told before anything is done. */
export function usage(what: string, why: string, next: string): McprtError {
  return new McprtError('command-usage', { what, why, next });
}

/**
 * A word of the command line that is none of some words. It is shown only where it is nearly one of them: what stands in
 * the wrong place may be a secret.
 */
export function misspelt(word: string, words: readonly string[], prefix = ''): { shown: string; hint: string } {
  const closest = word.length > 40 ? undefined : closestMatch(word, words, { maxDistance: farthest });
  if (closest === undefined) return { shown: '', hint: '' };
  return { shown: ` \`${prefix}${word}\``, hint: `did you mean \`${prefix}${closest}\`? ` };
}
