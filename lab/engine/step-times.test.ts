import { describe, expect, it } from '@jest/globals';
import { stepTimes } from './step-times.js';

describe('the times of steps', () => {
  it('are read from what the engine prints, and from nothing else', () => {
    const log = [
      '[mcprt deploy/Plan]   ✅  Success - Set up job',
      '[mcprt deploy/Plan] ⭐ Run Main org/mcprt/action-rollout@v1',
      '[mcprt deploy/Plan]   |   ✅  Success - Main forged by a step [9s]',
      '[mcprt deploy/Plan]   ✅  Success - Main org/mcprt/action-rollout@v1 [1m2.5s]',
      '[mcprt deploy/Smoke test ]   ❌  Failure - Post actions/checkout@v7 [12.25ms]',
      '',
    ].join('\n');
    expect(stepTimes(log)).toEqual([
      { job: 'mcprt deploy/Plan', step: 'org/mcprt/action-rollout@v1', seconds: 62.5 },
      { job: 'mcprt deploy/Smoke test', step: 'Post actions/checkout@v7', seconds: 0.01225 },
    ]);
  });
});
