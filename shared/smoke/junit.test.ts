import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { convertJUnitToCTRFReport } from 'junit-to-ctrf';
import { parse, type TestSuite } from 'junit2json';
import { parse as parseResults } from 'test-results-parser';
import type { Check } from './checks.js';
import { junitOf } from './junit.js';

const at = new Date('2026-01-02T03:04:05.678Z');
const passed: Check = { suite: 'tenant', name: 'push', status: 'passed', ms: 1_234, detail: '2 s' };
const skipped: Check = { suite: 'tenant', name: 'call', status: 'skipped', ms: 0, detail: 'after “push” failed' };
const failed = (text: string): Check => ({
  suite: 'health',
  name: `name ${text}`,
  status: 'failed',
  ms: 6,
  detail: '',
  failure: { code: 'smoke-tcp', what: `what ${text}`, why: `why ${text}`, next: `next ${text}` },
});

const written = (...checks: Check[]): string => junitOf(checks, { name: 'smoke test', at });

async function read(...checks: Check[]): Promise<TestSuite[]> {
  const found = await parse(written(...checks));
  return found !== null && found !== undefined && 'testsuite' in found ? (found.testsuite ?? []) : [];
}

/** What a reader makes of three checks: name, how it ended, and of a failure its message and its text. */
type Read = [name: string, status: string, message: string | undefined, text: string | undefined][];

const readers: Record<string, (file: string) => Promise<Read> | Read> = {
  'test-results-parser': (file) =>
    parseResults({ type: 'junit', files: [file] }).suites.flatMap(({ cases }) =>
      cases.map((one): Read[number] => [one.name, one.status, one.failure, one.stack_trace]),
    ),
  'junit-to-ctrf': async (file) =>
    (await convertJUnitToCTRFReport(file))?.results.tests.map(({ name, status, message, trace }): Read[number] => [
      name,
      status,
      message,
      trace,
    ]) ?? [],
};

describe.each(Object.entries(readers))('%s', (_name, reader) => {
  it('reads all of a report', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mcprt-junit-'));
    const file = join(folder, 'junit.xml');
    try {
      await writeFile(file, written(failed('<&"\u6f22]]>'), passed, skipped));
      const [one, two, three] = await reader(file);
      expect([one?.[0], two?.[0], three?.[0]]).toEqual(['name <&"\u6f22]]>', 'push', 'call']);
      expect([one?.[1], two?.[1], three?.[1]].map((status) => status?.slice(0, 4).toLowerCase())).toEqual([
        'fail',
        'pass',
        'skip',
      ]);
      expect(one?.slice(2)).toEqual(['what <&"\u6f22]]>', 'why <&"\u6f22]]>\nnext: next <&"\u6f22]]>']);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a JUnit report', () => {
  it('has a suite for each of the checks’, with counts and times in seconds', async () => {
    expect(await parse(written(passed, skipped, failed('x')))).toMatchObject({
      name: 'smoke test',
      tests: 3,
      failures: 1,
      time: 1.24,
      testsuite: [
        { name: 'tenant', tests: 2, failures: 0, skipped: 1, errors: 0, time: 1.234, timestamp: '2026-01-02T03:04:05' },
        { name: 'health', tests: 1, failures: 1, skipped: 0, time: 0.006 },
      ],
    });
  });

  it('has what failed with its code as type, and what to do', async () => {
    const [suite] = await read(failed('x'));
    expect(suite?.testcase).toMatchObject([
      {
        classname: 'mcprt.health',
        name: 'name x',
        failure: [{ type: 'smoke-tcp', message: 'what x', inner: 'why x\nnext: next x' }],
      },
    ]);
  });

  it('tells passed and skipped ones apart', async () => {
    const [suite] = await read(passed, skipped);
    expect(suite?.testcase?.map(({ skipped: why, failure }) => [why?.[0]?.message, failure])).toEqual([
      [undefined, undefined],
      ['after “push” failed', undefined],
    ]);
  });

  it('is well-formed with nothing in it', async () => {
    expect(await parse(written())).toMatchObject({ tests: 0, failures: 0, time: 0 });
  });

  it.each(['<b> & "c" \'d\'', ']]> <![CDATA[ -->', '&amp; &#7; %', 'größer 😀 日本', 'true', '0', '{{x}} $& `'])(
    'keeps text as it is: %s',
    async (text) => {
      const [suite] = await read(failed(text));
      expect(suite?.testcase).toMatchObject([
        { name: `name ${text}`, failure: [{ message: `what ${text}`, inner: `why ${text}\nnext: next ${text}` }] },
      ]);
    },
  );

  it.each([
    ['a control character', '\u0000'],
    ['an escape', '\u001b'],
    ['half of a character', '\ud83d'],
    ['the other half', '\ude00'],
    ['what is no character', '\uffff'],
  ])('replaces what XML cannot hold: %s', async (_, character) => {
    const [suite] = await read(failed(`a${character}b`));
    expect(suite?.testcase).toMatchObject([
      { name: 'name a\ufffdb', failure: [{ message: 'what a\ufffdb', inner: 'why a\ufffdb\nnext: next a\ufffdb' }] },
    ]);
    const [other] = await read({ ...skipped, suite: `s${character}`, detail: character });
    expect(other).toMatchObject({ name: 's\ufffd', testcase: [{ skipped: [{ message: '\ufffd' }] }] });
  });
});
