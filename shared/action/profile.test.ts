import { describe, expect, it } from '@jest/globals';
import type { Stage } from '../profile/reference.js';
import { readTarget } from './profile.js';

const masked: string[] = [];
const target = (inputs: { profile?: string; domain?: string; text?: string }, stage: Stage = 'backup') => {
  const { profile = '', domain = '', text = '' } = inputs;
  const options = { stage, env: {}, mask: (secret: string) => masked.push(secret), quiet: true };
  return readTarget({ profile, domain, 'profile-text': text }, options);
};

describe('a profile in no file', () => {
  const text = 'export MCP_PLATFORM_DOMAIN=example.com\nexport MCP_PLATFORM_ADMIN_PASSWORD=not-a-password\n';

  it('is read as the same in a file is, and its secrets are masked', async () => {
    const found = await target({ text });
    expect(found).toMatchObject({ domain: 'example.com', hosts: { mcp: 'mcp.example.com' }, isPlatform: true });
    expect(found.values.get('MCP_PLATFORM_ADMIN_PASSWORD')).toBe('not-a-password');
    expect(masked).toContain('not-a-password');
  });

  it('stands in place of one, and is held to the domain that is given', async () => {
    await expect(target({ text, profile: 'a.env' })).rejects.toMatchObject({
      code: 'input-invalid',
      message: 'the inputs `profile` and `profile-text` are both given',
    });
    await expect(target({ text, domain: 'other.example.com' })).rejects.toMatchObject({
      code: 'input-invalid',
      message: 'the inputs `domain` and `profile` are about two platforms',
    });
  });

  it('tells what is wrong with it by its lines, and without its text', async () => {
    const broken = target({ text: 'export MCP_PLATFORM_DOMAIN="not-a-password' });
    await expect(broken).rejects.toMatchObject({
      code: 'profile-invalid',
      message: expect.stringContaining('profile-text'),
    });
    await expect(broken).rejects.not.toMatchObject({ why: expect.stringContaining('not-a-password') });
  });
});

describe('a cluster without MCP Runtime', () => {
  it('is named by its domain, and is no platform', async () => {
    const found = await target({ profile: 'none', domain: 'cluster.example.com' });
    expect(found).toMatchObject({ domain: 'cluster.example.com', isPlatform: false, kubeconfig: undefined });
    expect((await target({ domain: 'example.com' })).isPlatform).toBe(true);
  });

  it('is not taken without a name, or for another action', async () => {
    await expect(target({ profile: 'none' })).rejects.toMatchObject({
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
