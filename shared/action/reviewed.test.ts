import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type Github, startGithub } from '../../lab/github/github.js';
import { requireReviewers } from './reviewed.js';

let github: Github;

beforeEach(async () => {
  github = await startGithub({ run: { permissions: { actions: 'read' } } });
});

afterEach(() => github.close());

const look = (name = 'mcprt-wipe', token = github.token): Promise<string[]> =>
  requireReviewers(
    { apiUrl: github.env.GITHUB_API_URL ?? '', token, repository: github.env.GITHUB_REPOSITORY ?? '' },
    name,
  );

describe('an environment', () => {
  it('with reviewers lets the job go on, whatever it is called', async () => {
    for (const name of ['mcprt-wipe', 'a b/ü?']) {
      github.setEnvironment(name, { hasReviewers: true, preventsSelfReview: true });
      expect(await look(name)).toEqual([]);
    }
  });

  it('says that whoever starts a run may approve it, and that administrators may pass by', async () => {
    github.setEnvironment('mcprt-wipe', { hasReviewers: true, adminsBypass: true });
    expect(await look()).toEqual([
      expect.stringContaining('whoever starts a run may approve it'),
      expect.stringContaining('administrators'),
    ]);
  });

  it.each([
    ['that is not there', undefined],
    ['without reviewers, as one with rules of apps only', { hasReviewers: false }],
    ['whose reviewers have all left', { hasReviewers: true, reviewers: [] }],
  ])('%s stops it', async (_, rules) => {
    if (rules !== undefined) github.setEnvironment('mcprt-wipe', rules);
    await expect(look()).rejects.toMatchObject({ code: 'github-environment-unreviewed' });
  });

  it('that cannot be read stops it', async () => {
    github.setEnvironment('mcprt-wipe', { hasReviewers: true });
    const { token } = github.as({ permissions: {} });
    await expect(look('mcprt-wipe', token)).rejects.toMatchObject({ code: 'github-environment-unread' });
  });
});
