import type { Decoded } from './der.js';

/**
 * Splits one line of CSV, so that an annotation can hold a list whose items hold commas (cert-manager pkg/util/util.go
 * SplitWithEscapeCSV over Go encoding/csv). Nothing, or more than one line, is refused.
 */
export function splitCsv(text: string): Decoded<string[]> {
  const line = text.replace(/^(?:\r?\n)+/, '').replace(/\r?\n$/, '');
  if (line === '') return { ok: false, error: `no values found after parsing ${JSON.stringify(text)}` };
  const fields: string[] = [];
  const pattern = /(?:"((?:[^"]|"")*)"|([^",\n]*))(,|$)/y;
  for (;;) {
    const found = pattern.exec(line);
    if (found === null) return { ok: false, error: `failed to parse ${JSON.stringify(text)} as CSV` };
    const [, quoted, plain = '', separator] = found;
    fields.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (separator === '') return { ok: true, value: fields };
  }
}
