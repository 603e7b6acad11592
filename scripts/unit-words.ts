import { join } from 'node:path';

/**
 * What jest is told for the words of a person: sources are named as they are compiled, and one that is no test itself
 * stands for the tests that it may break.
 */
export function jestWords(words: readonly string[]): string[] {
  const compiled = words.map((word) => (word.endsWith('.ts') ? join('build', word.replace(/\.ts$/, '.js')) : word));
  const files = compiled.filter((word) => word.endsWith('.js'));
  if (files.some((file) => !file.endsWith('.test.js'))) {
    return [...compiled.filter((word) => !files.includes(word)), '--findRelatedTests', ...files];
  }
  return compiled.map((word) => (files.includes(word) ? `${word.replaceAll('.', '\\.')}$` : word));
}
