/** A page or file of this release, as texts name it. */
const page = /(?<![\w/.-])docs\/(?=[\w/-]{1,80}\.(?:md|yaml)\b)/g;

/**
 * A text with the pages that it names where they are on this machine.
 *
 * @param home folder of this release
 */
export function withPages(text: string, home: string): string {
  return text.replace(page, () => `${home}/docs/`);
}
