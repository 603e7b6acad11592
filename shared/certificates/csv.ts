import { attempt, type Decoded, DecodeError } from './der.js';

/**
 * Splits one line of CSV, so that an annotation can hold a list whose items hold commas (cert-manager pkg/util/util.go
 * SplitWithEscapeCSV over Go encoding/csv). Nothing, or more than one line, is refused; empty lines before and after do not count.
 */
export function splitCsv(text: string): Decoded<string[]> {
  return attempt(() => {
    // Go drops a return before the end of a line, and one at the end of the text.
    const lines = text.replace(/\r(?=\n|$)/g, '').replace(/^\n+/, '');
    if (lines === '') throw new DecodeError(`no values found after parsing ${JSON.stringify(text)}`);
    const fields: string[] = [];
    const field = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n|$)/y;
    for (;;) {
      const found = field.exec(lines);
      if (found === null) throw new DecodeError(`failed to parse ${JSON.stringify(text)} as CSV`);
      const [, quoted, plain = '', separator] = found;
      fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
      if (separator === ',') continue;
      // What follows the line is another one, in whatever shape, or nothing.
      if (/[^\n]/.test(lines.slice(field.lastIndex))) {
        throw new DecodeError(`refusing to use ${JSON.stringify(text)} as input as it parses as multiple lines of CSV`);
      }
      return fields;
    }
  });
}
