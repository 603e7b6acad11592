import { closestMatch } from 'leven';
import { McprtError } from '../shared/errors.js';
import { secretsIn } from '../shared/secret-shapes.js';

/** What is wrong with a command line. It is told before anything is done. */
export function usage(what: string, why: string, next: string): McprtError {
  return new McprtError('command-usage', { what, why, next });
}

/** A word of the command line as a message shows it: what stands in the wrong place may be a secret. */
export function shownWord(word: string): string {
  return /^[\w.,:=-]{1,40}$/.test(word) && secretsIn(word).length === 0 ? ` \`${word}\`` : '';
}

/** What somebody may have meant, as the beginning of what to do; nothing where nothing is near. */
export function meant(word: string, words: readonly string[], prefix = ''): string {
  const closest = word.length > 64 ? undefined : closestMatch(word, words, { maxDistance: 4 });
  return closest === undefined ? '' : `did you mean \`${prefix}${closest}\`? `;
}
