import { describe, expect, it } from '@jest/globals';
import type { Stage } from '../profile/reference.js';
import { readTarget } from './profile.js';

const target = (inputs: { profile: string; domain: string }, stage: Stage = 'backup') =>
  readTarget(inputs, { stage, env: {}, mask: () => undefined, quiet: true });

describe('a cluster without MCP Runtime', () => {
  it('is named by its domain, and is no platform', async () => {
    const found = await target({ profile: 'none', domain: 'cluster.example.com' });
    expect(found).toMatchObject({ domain: 'cluster.example.com', isPlatform: false, kubeconfig: undefined });
    expect((await target({ profile: '', domain: 'example.com' })).isPlatform).toBe(true);
  });

  it('is not taken without a name, or for another action', async () => {
    await expect(target({ profile: 'none', domain: '' })).rejects.toMatchObject({
      code: 'input-invalid',
      message: '`profile: none` needs the input `domain`',
    });
    for (const stage of ['setup', 'rollout', 'smoke-test'] as const)
      await expect(target({ profile: 'none', domain: 'example.com' }, stage)).rejects.toMatchObject({
        code: 'input-invalid',
        message: '`profile: none` is for clusters without MCP Runtime',
      });
  });
});
