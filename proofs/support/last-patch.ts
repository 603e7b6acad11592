/**
 * A version in full; a minor stands for the last of its patches that is known.
 *
 * @param given such as `1.16` or `v1.16.2`
 * @param known from the oldest to the newest
 */
export function lastPatch(given: string, known: readonly string[]): string {
  const text = given.replace(/^v/, '');
  if (!/^\d+\.\d+$/.test(text)) return text;
  return known.findLast((version) => version.startsWith(`${text}.`)) ?? text;
}
