import XMLBuilder from 'fast-xml-builder';
import type { Check } from './checks.js';

/** Characters that XML 1.0 cannot hold, escaped or not. */
const unfit = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu;

/** The checks as a JUnit report: a suite each, times in seconds, a failure's code as its type. */
export function junitOf(checks: readonly Check[], { name, at }: { name: string; at: Date }): string {
  const suites = [...new Set(checks.map(({ suite }) => suite))];
  const builder = new XMLBuilder({
    ignoreAttributes: false,
    format: true,
    suppressEmptyNode: true,
    suppressBooleanAttributes: false,
  });
  const text = builder.build({
    '?xml': { '@_version': '1.0', '@_encoding': 'UTF-8' },
    testsuites: {
      '@_name': clean(name),
      ...countsOf(checks),
      testsuite: suites.map((suite) => {
        const own = checks.filter((check) => check.suite === suite);
        return {
          '@_name': clean(suite),
          ...countsOf(own),
          '@_timestamp': at.toISOString().slice(0, 19),
          testcase: own.map((check) => caseOf(check)),
        };
      }),
    },
  });
  return String(text);
}

function caseOf({ suite, name, ms, status, detail, failure }: Check): Record<string, unknown> {
  return {
    '@_classname': clean(`mcprt.${suite}`),
    '@_name': clean(name),
    '@_time': secondsOf(ms),
    ...(failure === undefined
      ? {}
      : {
          failure: {
            '@_type': failure.code,
            '@_message': clean(failure.what),
            '#text': clean(`${failure.why}\nnext: ${failure.next}`),
          },
        }),
    ...(status === 'skipped' ? { skipped: { '@_message': clean(detail) } } : {}),
  };
}

function countsOf(checks: readonly Check[]): Record<string, string> {
  const count = (status: Check['status']): string => String(checks.filter((check) => check.status === status).length);
  return {
    '@_tests': String(checks.length),
    '@_failures': count('failed'),
    '@_errors': '0',
    '@_skipped': count('skipped'),
    '@_time': secondsOf(checks.reduce((sum, { ms }) => sum + ms, 0)),
  };
}

function secondsOf(ms: number): string {
  return (ms / 1000).toFixed(3);
}

function clean(text: string): string {
  return text.replace(unfit, '\ufffd');
}
