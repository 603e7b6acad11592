import { expect, it } from '@jest/globals';
import { requireOwnProfile } from './own-profile.js';
import { facts, profile } from './testing/facts.js';

const workflow = (inputs: string): string =>
  `jobs: {one: {uses: org/mcprt/.github/workflows/backup.yml@v1, with: {${inputs}}}}`;
const check =
  (text: string, change: Partial<typeof profile> = {}, name = 'mcprt-backup.yml') =>
  () =>
    requireOwnProfile(
      { ...facts, present: new Map([[name, text]]), profile: { ...profile, ...change } },
      'mcprt',
      undefined,
    );
const refusal = expect.objectContaining({ code: 'init-prefix', next: expect.stringMatching(/--prefix NAME.*renamed/) });
const staging = { path: 'config/deployments/staging.env' };

it('stops where the workflows of a prefix name another profile, or the usual one by naming none', () => {
  expect(check(workflow('profile: a.env'))).toThrow(refusal);
  expect(check(workflow(''), staging)).toThrow(refusal);
  expect(check(workflow(''), { ...staging, hasUsual: false })).toThrow(refusal);
});

it('continues with their own profile, and where it is not known which one theirs is', () => {
  expect(check(workflow(''))).not.toThrow();
  expect(check(workflow('profile: ./config/deployments/staging.env'), staging)).not.toThrow();
  expect(check(workflow(`profile: "\${{ vars.PROFILE }}"`))).not.toThrow();
  // Its text comes from a secret.
  expect(check(workflow(''), { ...staging, hasUsual: false, isTracked: false })).not.toThrow();
});

it('leaves the workflows of other prefixes and of others out', () => {
  expect(check(workflow('profile: a.env'), {}, 'staging-backup.yml')).not.toThrow();
  expect(check(workflow('profile: a.env, environment-prefix: mcprt-two'), {}, 'mcprt-two-backup.yml')).not.toThrow();
  expect(check(workflow('profile: a.env'), {}, 'a.env')).not.toThrow();
  expect(check('jobs: [', {}, 'mcprt-notes.yml')).not.toThrow();
});

it('stops where the profile has workflows of another prefix', () => {
  const taken = expect.objectContaining({ code: 'init-prefix', next: expect.stringMatching(/--profile PATH.*move/) });
  const other = "environment-prefix: 'staging'";
  expect(check(workflow(other), {}, 'staging-backup.yml')).toThrow(taken);
  expect(check(workflow(`profile: ${profile.path}, ${other}`), {}, 'staging-backup.yml')).toThrow(taken);
  expect(check(workflow(`profile: a.env, ${other}`), {}, 'staging-backup.yml')).not.toThrow();
  expect(check(workflow(`profile: "\${{ vars.PROFILE }}", ${other}`), {}, 'staging-backup.yml')).not.toThrow();
  // A workflow that somebody has written for themselves.
  expect(check(workflow(other), {}, 'nightly.yml')).not.toThrow();
});
