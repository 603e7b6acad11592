import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from '../../lab/github/github.js';
import { Markdown } from '../../shared/action/markdown.js';
import type { Report } from '../../shared/action/operation.js';
import { McprtError } from '../../shared/errors.js';
import { alarmText, underWatch, type Watch } from './watch.js';

const failure = (code: McprtError['code']): McprtError =>
  new McprtError(code, { what: 'it is old', why: 'artifact `@everyone`: <b>', next: 'run `gh cache list`' });
const fails = (error: unknown) => (): Promise<Report> => Promise.reject(error);
const verified = async (): Promise<Report> => ({
  outputs: { generation: 3, 'created-at': '2026-11-26T12:00:00Z' },
  details: { decrypted: false },
  summary: new Markdown(),
});

let github: Github;
let warnings: string[];
let told: string[];

const watch = (view = github): Watch => ({
  api: {
    apiUrl: view.env.GITHUB_API_URL ?? '',
    token: view.token,
    repository: 'mcprt-lab/platform',
    runUrl: 'https://github.com/acme/platform/actions/runs/7',
  },
  domain: 'example.com',
  maxAge: 26 * 3600_000,
  progress: (line) => told.push(line),
  warn: (line) => warnings.push(line),
});

beforeEach(async () => {
  [warnings, told] = [[], []];
  github = await startGithub({ run: { permissions: { issues: 'write' } } });
});

afterEach(() => github.close());

describe('a verification under watch', () => {
  it('fails as it does, with one issue that is closed when a backup is verified again', async () => {
    const error = failure('backup-too-old');
    await expect(underWatch(fails(error), watch())).rejects.toBe(error);
    await expect(underWatch(fails(error), watch())).rejects.toBe(error);
    expect(github.issues()).toMatchObject([{ state: 'open', comments: [] }]);
    expect((await underWatch(verified, watch())).details).toEqual({ decrypted: false, closedIssue: 1 });
    expect(github.issues()).toMatchObject([
      { state: 'closed', comments: [expect.stringContaining('Generation 3 of 2026-11-26T12:00:00Z was verified')] },
    ]);
    expect((await underWatch(verified, watch())).details).toEqual({ decrypted: false });
    expect(told).toEqual(['issue 1 tells of it: opened', 'issue 1 tells of it: unchanged']);
    expect(warnings).toEqual([]);
  });

  it('tells nobody of a run that was cancelled', async () => {
    await expect(underWatch(fails(failure('job-cancelled')), watch())).rejects.toThrow();
    expect(github.issues()).toEqual([]);
  });

  it('ends as it does without the permission, with a warning that names it', async () => {
    const blind = watch(github.as({ permissions: { actions: 'read' } }));
    await expect(underWatch(fails(failure('backup-none')), blind)).rejects.toMatchObject({ code: 'backup-none' });
    expect(await underWatch(verified, blind)).toMatchObject({ outputs: { generation: 3 } });
    expect(warnings).toEqual([expect.stringContaining('issues: write'), expect.stringContaining('issues: write')]);
  });
});

describe('the text of the issue', () => {
  it('says what, why and what next, leads to the run, and notifies nobody', () => {
    const text = alarmText(failure('backup-too-old'), watch());
    expect(text).toContain('younger than 26 hours');
    expect(text).toContain('it is old (`backup-too-old`)');
    expect(text).toContain('- run `gh cache list`');
    expect(text).toContain('[this run](https://github.com/acme/platform/actions/runs/7)');
    expect(text).toContain('`@everyone`');
    expect(text).not.toContain('<b>');
  });

  it('does not quote an error that nobody wrote for people', () => {
    expect(alarmText(new Error('the secret is 1234'), watch())).not.toContain('1234');
  });
});
