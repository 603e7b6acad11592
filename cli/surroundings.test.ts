import { describe, expect, it } from '@jest/globals';
import { newRun, surroundings } from './surroundings.js';
import { actionOf, actions } from './testing/actions.js';

const own = { json: false, debug: false, repository: '', 'repository-id': '', resume: '' };
const options = { own, inputs: { operation: 'list', 'dry-run': 'false' }, folder: '/own', run: '17' };

function around(env: NodeJS.ProcessEnv, more: Partial<typeof own> = {}): NodeJS.ProcessEnv {
  return surroundings(env, actions, actionOf('backup'), { ...options, own: { ...own, ...more } });
}

describe('what a step of the command finds around it', () => {
  it('is what a runner gives, with files of its own', () => {
    expect(around({ PATH: '/bin' })).toEqual({
      PATH: '/bin',
      GITHUB_RUN_ID: '17',
      GITHUB_RUN_ATTEMPT: '1',
      GITHUB_JOB: 'backup',
      GITHUB_WORKFLOW: 'command line',
      RUNNER_TEMP: '/own/temp',
      GITHUB_OUTPUT: '/own/output',
      GITHUB_STEP_SUMMARY: '/own/summary.md',
      GITHUB_STATE: '/own/state',
      GITHUB_ENV: '/own/env',
      GITHUB_PATH: '/own/path',
      INPUT_OPERATION: 'list',
      'INPUT_DRY-RUN': 'false',
    });
  });

  it('has no secret but as an input, and no input or state of anybody else', () => {
    const found = around({ MCPRT_RESTORE_KEY: 's', MCPRT_USER_PASSWORD: 's', INPUT_ALLOW: 'x', STATE_made: 'x' });
    expect(Object.keys(found).filter((name) => /^MCPRT|ALLOW|^STATE/.test(name))).toEqual([]);
  });

  it('is a job’s own where there is one, unless it is said otherwise', () => {
    const job = { GITHUB_REPOSITORY: 'a/b', GITHUB_REPOSITORY_ID: '1', GITHUB_RUN_ID: '2', GITHUB_OUTPUT: '/job' };
    expect(around(job)).toMatchObject({ ...job, GITHUB_OUTPUT: '/own/output' });
    expect(around(job, { repository: 'c/d', resume: '3' })).toMatchObject({
      GITHUB_REPOSITORY: 'c/d',
      // The number is of the other repository.
      GITHUB_REPOSITORY_ID: '',
      GITHUB_RUN_ID: '3',
    });
    expect(around(job, { 'repository-id': '4' })).toMatchObject({ GITHUB_REPOSITORY_ID: '4' });
  });
});

describe('a report that nobody gives a place', () => {
  it('is not in the folder that goes when the run ends', () => {
    const placed = (junit: string): string | undefined =>
      surroundings({}, actions, actionOf('smoke-test'), { ...options, inputs: { junit } }).INPUT_JUNIT;
    expect(placed('')).toBe('/own-junit.xml');
    expect(placed('a.xml')).toBe('a.xml');
  });
});

describe('the number of a run', () => {
  it('is another one for each process and second, and short enough for a name', () => {
    const now = new Date('2030-01-01T00:00:00Z');
    const numbers = [newRun(now, 7), newRun(now, 4_194_304), newRun(new Date(now.getTime() + 1000), 7)];
    expect(new Set(numbers).size).toBe(3);
    for (const number of numbers) expect(number).toMatch(/^\d{17}$/);
  });
});
