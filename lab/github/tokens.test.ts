import { describe, expect, it } from '@jest/globals';
import { defaultRun, jobBackendId, runBackendId } from './run.js';
import { Tokens } from './tokens.js';

const REPOSITORY = { name: 'o/r', id: 1, defaultBranch: 'main', retentionDays: 90 };
const RUN = defaultRun(REPOSITORY);

describe('runtime tokens', () => {
  let time = Date.UTC(2026, 10, 24);
  const tokens = new Tokens(() => new Date(time));
  const token = tokens.issueRuntimeToken(RUN, REPOSITORY);

  it('carry run, job and cache scopes, as the clients read them', () => {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const results = `Actions.Results:${runBackendId(REPOSITORY, RUN)}:${jobBackendId(REPOSITORY, RUN)}`;
    expect(claims.scp.split(' ')).toContain(results);
    expect(JSON.parse(claims.ac)).toEqual([{ Scope: 'refs/heads/main', Permission: 3 }]);
    expect(tokens.readRuntimeToken(token)).toEqual({
      runBackendId: runBackendId(REPOSITORY, RUN),
      jobBackendId: jobBackendId(REPOSITORY, RUN),
      scopes: [{ scope: 'refs/heads/main', permission: 3 }],
    });
  });

  it('are known again only as they were issued', () => {
    const [header, , signature] = token.split('.');
    const other = tokens.issueRuntimeToken({ ...RUN, id: 2 }, REPOSITORY).split('.')[1];
    for (const forged of ['', 'x', 'a.b.c', `${header}.${other}.${signature}`, `${token}x`, token.slice(0, -1)]) {
      expect(tokens.readRuntimeToken(forged)).toBeUndefined();
    }
    expect(new Tokens(() => new Date(time)).readRuntimeToken(token)).toBeUndefined();
  });

  it('expire', () => {
    time += 6 * 3_600_000;
    expect(tokens.readRuntimeToken(token)).toBeUndefined();
  });

  it('name the same run for each of its jobs', () => {
    expect(runBackendId(REPOSITORY, { ...RUN, job: 'restore' })).toBe(runBackendId(REPOSITORY, RUN));
    expect(jobBackendId(REPOSITORY, { ...RUN, job: 'restore' })).not.toBe(jobBackendId(REPOSITORY, RUN));
    expect(runBackendId(REPOSITORY, { ...RUN, id: 2 })).not.toBe(runBackendId(REPOSITORY, RUN));
  });
});
