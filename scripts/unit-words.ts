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

/** Tests of the repository, of the lab and of the proofs: what they run through by the way is not tested. */
export const elsewhere = ['/build/scripts/', '/build/lab/', '/build/proofs/'];

/** What jest is told besides to measure: the floor is for all of the product's tests together, and not for some of them. */
export function coverageWords(words: readonly string[]): string[] {
  if (!words.includes('--coverage')) return [];
  const isAll = words.every((word) => word.startsWith('-'));
  return [
    ...(isAll ? elsewhere.flatMap((path) => ['--testPathIgnorePatterns', path]) : ['--coverageThreshold', '{}']),
    // Code that counts its branches is slower, most of all where it packs and unpacks.
    ...['--testTimeout', '300000'],
  ];
}

/** What is to be said of a measured share of branches, in percent, and the floor below which jest fails. */
export function coverageNews(share: number, floor: number): string {
  const possible = Math.floor(share);
  return possible > floor
    ? `${share} % of the branches of shared/ are tested: the floor in package.json can rise from ${floor} to ${possible}`
    : `${share} % of the branches of shared/ are tested, and ${floor} must be`;
}
