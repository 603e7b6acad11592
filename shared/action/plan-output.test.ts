import { describe, expect, it } from '@jest/globals';
import { isSpelling } from '../spelling.js';
import { planOutput } from './plan-output.js';

const digest = '0123456789abcdef'.repeat(4);

describe('the output of a plan', () => {
  it('has no line of a secret in it, however short, and none of what was read on the way', () => {
    const told: string[] = [];
    const output = planOutput((secret) => void told.push(secret), ['apiVersion: v1\n  "ef"  \r\n'], {});
    output.mask('line one\n234567');
    const spelled = output.spelled(digest);
    expect(told).toEqual(['line one\n234567']);
    expect(spelled).not.toMatch(/ef|234567/);
    expect(isSpelling(spelled, digest)).toBe(true);
  });

  it('is the digest itself in a first attempt, and another spelling in the next', () => {
    const spelled = (env: NodeJS.ProcessEnv): string => planOutput(() => undefined, [], env).spelled(digest);
    expect([spelled({}), spelled({ GITHUB_RUN_ATTEMPT: '1' })]).toEqual([digest, digest]);
    expect(spelled({ GITHUB_RUN_ATTEMPT: '2' })).not.toBe(digest);
    expect(spelled({ GITHUB_RUN_ATTEMPT: '5000' })).toMatch(/^[0-9a-f]{64}$/);
  });
});
