import { type Told, tail } from './runs.js';

/** What a proof finds wrong, in words. */
export interface Findings {
  readonly problems: readonly string[];
  /** Notes something; with the end of a run's log, where one is given. */
  fail(what: string, run?: Told): void;
  /** Notes what is wrong unless it holds. @returns whether it holds */
  expect(holds: boolean, what: string, run?: Told): boolean;
  /** That a run worked. */
  expectDone(what: string, run: Told): boolean;
  /** That a run ended with this code of ours and no other. */
  expectRefused(what: string, code: string | RegExp, run: Told): boolean;
  /** That a run ended with this code, or worked where none is given. */
  expectEnd(what: string, code: string | undefined, run: Told): boolean;
  /** That two values are the same as JSON. */
  expectSame(what: string, is: unknown, wanted: unknown): boolean;
  /** The same notes, each about something. */
  about(subject: string): Findings;
}

/** Makes an empty book of what is wrong. */
export function makeFindings(problems: string[] = [], subject = ''): Findings {
  const fail = (what: string, run?: Told): void => {
    problems.push(`${subject}${what}${run === undefined ? '' : `\n${tail(run)}`}`);
  };
  const expect = (holds: boolean, what: string, run?: Told): boolean => {
    if (!holds) fail(what, run);
    return holds;
  };
  const ending = ({ code, signal, error }: Told): string => `exit ${signal ?? code} with ${error ?? 'no error'}`;
  const expectDone = (what: string, run: Told): boolean => expect(run.code === 0, `${what}: ${ending(run)}`, run);
  const expectRefused = (what: string, code: string | RegExp, run: Told): boolean => {
    const isIt = typeof code === 'string' ? run.error === code : code.test(run.error ?? '');
    return expect(run.code === 1 && isIt, `${what}: ${ending(run)}, not ${code}`, run);
  };
  return {
    problems,
    fail,
    expect,
    expectDone,
    expectRefused,
    expectEnd: (what, code, run) => (code === undefined ? expectDone(what, run) : expectRefused(what, code, run)),
    expectSame: (what, is, wanted) => {
      const [seen, due] = [JSON.stringify(is), JSON.stringify(wanted)];
      return expect(seen === due, `${what}: ${seen} instead of ${due}`);
    },
    about: (more) => makeFindings(problems, `${subject}${more}: `),
  };
}
