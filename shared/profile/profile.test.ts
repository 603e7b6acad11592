import { describe, expect, it } from '@jest/globals';
import { McprtError } from '../errors.js';
import { DEFAULT_PATH, type LoadOptions, loadProfile, requireOwnProfile, requireSoundProfile } from './profile.js';

const TEXT = 'export MCP_PLATFORM_DOMAIN=mcpruntime.org\nexport MCP_SETUP_KUBECONFIG=$HOME/k3s.yaml\n';

function load(files: Record<string, string>, options: Partial<LoadOptions> = {}) {
  return loadProfile({
    environment: { HOME: '/home/me' },
    readText: async (path) => files[path],
    namesIn: async () => [],
    stage: 'backup',
    ...options,
  });
}

describe('loadProfile', () => {
  it('reads the profile at the default path', async () => {
    const profile = await load({ [DEFAULT_PATH]: TEXT, [`${DEFAULT_PATH}.example`]: 'A=1' });
    expect(profile).toMatchObject({
      path: DEFAULT_PATH,
      origin: 'own',
      domain: 'mcpruntime.org',
      hosts: { registry: 'registry.mcpruntime.org', mcp: 'mcp.mcpruntime.org', platform: 'platform.mcpruntime.org' },
      kubeconfig: '/home/me/k3s.yaml',
      findings: [],
    });
    expect(profile.values.get('MCP_PLATFORM_DOMAIN')).toBe('mcpruntime.org');
  });

  it('takes the path that was given, before MCP_DEPLOY_ENV, before the default', async () => {
    const files = { 'a.env': TEXT, 'b.env': TEXT, [DEFAULT_PATH]: TEXT };
    const environment = { MCP_DEPLOY_ENV: 'b.env' };
    expect((await load(files, { path: 'a.env', environment })).path).toBe('a.env');
    expect((await load(files, { environment })).path).toBe('b.env');
    expect((await load(files, { path: '', environment: { MCP_DEPLOY_ENV: '' } })).path).toBe(DEFAULT_PATH);
  });

  it('falls back to the template and says so', async () => {
    const profile = await load({ [`${DEFAULT_PATH}.example`]: TEXT });
    expect(profile).toMatchObject({ path: `${DEFAULT_PATH}.example`, origin: 'example' });
    expect(profile.findings).toEqual([expect.objectContaining({ code: 'profile-example', severity: 'warning' })]);
  });

  it('knows a template that was asked for by its name', async () => {
    expect(await load({ 'x.env.example': TEXT }, { path: 'x.env.example' })).toMatchObject({ origin: 'example' });
  });

  it('refuses when there is neither', async () => {
    await expect(load({})).rejects.toMatchObject({ code: 'profile-missing', next: expect.not.stringContaining('job') });
    const inJob = load({}, { environment: { GITHUB_ACTIONS: 'true' } });
    await expect(inJob).rejects.toMatchObject({ next: expect.stringContaining('checks out') });
  });

  it('names the profiles of other names that are beside it, and nothing else', async () => {
    const beside = (...names: string[]) =>
      load({}, { namesIn: async (folder) => (folder === 'config/deployments' ? names : []) });
    await expect(beside('production.env', 'a.env.example', 'README.md')).rejects.toMatchObject({
      next: expect.stringMatching(/^There is another one: give `profile: config\/deployments\/production\.env`\. Give/),
    });
    await expect(beside('README.md')).rejects.toMatchObject({ next: expect.stringMatching(/^Give its path/) });
    const many = ['f', 'e', 'd', 'c', 'b', 'a'].map((name) => `${name}.env`);
    await expect(beside(...many)).rejects.toMatchObject({
      next: expect.stringMatching(/a\.env` or .*e\.env`, or another of the 6 in config\/deployments\./),
    });
  });

  it('passes on what made reading impossible', async () => {
    const readText = () => Promise.reject(new Error('EACCES'));
    await expect(load({}, { readText })).rejects.toThrow('EACCES');
  });

  it('does not turn up in JSON with its values', async () => {
    expect(JSON.stringify(await load({ [DEFAULT_PATH]: `${TEXT}ADMIN_TOKEN=hunter2` }))).not.toContain('hunter2');
  });
});

describe('requireOwnProfile', () => {
  it('lets a profile of ones own pass', async () => {
    const profile = await load({ [DEFAULT_PATH]: TEXT });
    expect(() => requireOwnProfile(profile, 'wipe')).not.toThrow();
  });

  it.each(['wipe', 'restore'])('refuses a %s with the template', async (operation) => {
    const profile = await load({ [`${DEFAULT_PATH}.example`]: TEXT });
    expect(() => requireOwnProfile(profile, operation)).toThrow(
      expect.objectContaining({ code: 'profile-example', message: `A ${operation} needs a profile of your own.` }),
    );
  });
});

describe('requireSoundProfile', () => {
  it('gives domain and hosts for sure', async () => {
    const sound = requireSoundProfile(await load({ [DEFAULT_PATH]: TEXT }));
    expect([sound.domain, sound.hosts.mcp]).toEqual(['mcpruntime.org', 'mcp.mcpruntime.org']);
  });

  it('names every error with its line', async () => {
    const profile = await load({ [DEFAULT_PATH]: `A='\nMCP_PLATFORM_DOMAIN=https://mcpruntime.org` });
    expect(() => requireSoundProfile(profile)).toThrow(McprtError);
    expect(() => requireSoundProfile(profile)).toThrow(
      expect.objectContaining({
        code: 'profile-invalid',
        message: `The profile ${DEFAULT_PATH} cannot be used: 2 errors.`,
        why: expect.stringMatching(/^line 1: .*\nline 2: /),
      }),
    );
  });

  it('refuses a profile without a domain', async () => {
    const profile = await load({ [DEFAULT_PATH]: '' });
    expect(() => requireSoundProfile(profile)).toThrow(expect.objectContaining({ code: 'profile-invalid' }));
  });
});
