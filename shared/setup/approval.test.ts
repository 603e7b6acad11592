import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { direct } from '../proxy.js';
import { planSetup, requireSetupPlan } from './approval.js';
import type { SetupOptions } from './options.js';
import { usualSettings } from './testing/settings.js';

let source: string;
const git = (...args: string[]): void => void execFileSync('git', args, { cwd: source, stdio: 'ignore' });
const commit = async (text: string): Promise<void> => {
  await writeFile(join(source, 'main.go'), text);
  git('add', '.');
  git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '-m', text);
};

beforeEach(async () => {
  source = await mkdtemp(join(tmpdir(), 'mcprt-setup-plan-'));
  git('init', '--quiet');
  await commit('one');
});

afterEach(() => rm(source, { recursive: true, force: true }));

const options = (parts: Partial<SetupOptions> = {}): SetupOptions => ({
  wanted: 'auto',
  hosts: { platform: 'platform.example.com', registry: 'registry.example.com', mcp: 'mcp.example.com' },
  domain: 'example.com',
  run: {
    repository: 'acme/platform',
    repositoryId: '1',
    workflow: '',
    runId: '1',
    runAttempt: '1',
    job: 'setup',
    domain: 'example.com',
    tool: '',
  },
  profile: new Map([['MCP_PLATFORM_DOMAIN', 'example.com']]),
  settings: usualSettings,
  platformMode: { wanted: '', agreed: false },
  restore: undefined,
  maxOrders: 'auto',
  binary: '',
  source,
  certManager: { manifest: '', version: '' },
  platform: {
    hosts: { platform: 'platform.example.com', registry: 'registry.example.com', mcp: 'mcp.example.com' },
    names: true,
    imagePlatform: undefined,
    overrides: [],
    dnsServer: '',
    caBundle: '',
    proxies: direct,
    mask: () => undefined,
  },
  timeout: 1000,
  patience: { certificates: 1, rollouts: 1 },
  doctor: true,
  expectedPlan: '',
  dryRun: false,
  ...parts,
});
const cluster = { fingerprint: 'f', mode: 'rerun' } as const;
const digest = async (parts: Partial<SetupOptions> = {}, seen: Parameters<typeof planSetup>[1] = cluster) =>
  (await planSetup(options(parts), seen)).digest;

describe('the plan of a setup', () => {
  it('is the same for the same, whatever number of orders it is held to besides', async () => {
    expect(await digest({ maxOrders: 3 })).toBe(await digest());
  });

  it('is another for another profile, flag, binary and cluster', async () => {
    const { settings } = options();
    const binary = join(source, 'binary');
    await writeFile(binary, 'a');
    const first = await digest({ binary });
    await writeFile(binary, 'b');
    const all = [
      first,
      await digest({ binary }),
      await digest(),
      await digest({ profile: new Map([['MCP_PLATFORM_DOMAIN', 'example.org']]) }),
      await digest({ settings: { ...settings, further: ['--test-mode'] } }),
      await digest({ platformMode: { wanted: 'org', agreed: true } }),
      await digest({ certManager: { manifest: '', version: 'v1.20.0' } }),
      await digest({}, { ...cluster, fingerprint: 'g' }),
      await digest({}, { ...cluster, mode: 'first-install' }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('is another for another commit, and for changes that nobody has committed', async () => {
    const first = await digest();
    await writeFile(join(source, 'main.go'), 'changed');
    const dirty = await digest();
    await writeFile(join(source, 'main.go'), 'changed again');
    const dirtier = await digest();
    await commit('two');
    expect(new Set([first, dirty, dirtier, await digest()]).size).toBe(4);
  });

  it('tells that a secret is given, and not which', async () => {
    const password = (value: string) => digest({ profile: new Map([['MCP_PLATFORM_ADMIN_PASSWORD', value]]) });
    expect(await password('a')).toBe(await password('b'));
    expect(await password('a')).not.toBe(await digest({ profile: new Map() }));
  });

  it('is held to what was approved, and to nothing where nobody was asked', async () => {
    const plan = await planSetup(options(), cluster);
    expect(() => requireSetupPlan(plan, '')).not.toThrow();
    expect(() => requireSetupPlan(plan, plan.digest)).not.toThrow();
    expect(() => requireSetupPlan(plan, 'f'.repeat(64))).toThrow(expect.objectContaining({ code: 'setup-plan-moved' }));
    expect(() => requireSetupPlan({ ...plan, commit: '' }, plan.digest)).toThrow(
      expect.objectContaining({ code: 'setup-unbound' }),
    );
  });
});
