import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { root } from '../lab/driver/folders.js';
import { initCommand } from './command.js';

let folder = '';
let said = '';
const kubeconfig = process.env.KUBECONFIG;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'mcprt-init-')), 'platform');
  await mkdir(join(folder, 'config', 'deployments'), { recursive: true });
  await mkdir(join(folder, 'cmd', 'mcp-runtime'), { recursive: true });
  git('init', '--quiet', '--initial-branch=main');
  git('remote', 'add', 'origin', 'https://github.com/acme/platform.git');
  await writeFile(
    join(folder, 'config', 'deployments', 'mcpruntime-org.env'),
    'export MCP_PLATFORM_DOMAIN=example.com\n',
  );
  said = '';
  for (const stream of [process.stdout, process.stderr]) {
    jest.spyOn(stream, 'write').mockImplementation((text) => {
      said += String(text);
      return true;
    });
  }
  delete process.env.KUBECONFIG;
});

afterEach(async () => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
  if (kubeconfig !== undefined) process.env.KUBECONFIG = kubeconfig;
  await rm(join(folder, '..'), { recursive: true, force: true });
});

function git(...args: string[]): void {
  execFileSync('git', args, { cwd: folder });
}

/** Tests run in any checkout, of a release or not. */
const uses = ['--uses', 'org/mcprt@v1'];
const run = (...args: string[]): Promise<void> => initCommand(['--in', folder, ...uses, ...args], root);
const workflows = (): Promise<string[]> => readdir(join(folder, '.github', 'workflows')).catch(() => []);

describe('init', () => {
  it('writes workflows and keys, and says what is left to do', async () => {
    await run();
    expect(await workflows()).toEqual(
      expect.arrayContaining(['mcprt-backup.yml', 'mcprt-deploy.yml', 'mcprt-reinstall.yml']),
    );
    const keys = join(folder, '..', 'platform-mcprt-keys');
    expect((await readdir(keys)).sort()).toEqual(['backup.key', 'offline.txt', 'restore.key']);
    expect((await stat(join(keys, 'restore.key'))).mode & 0o777).toBe(0o600);
    expect(said).toContain('--env mcprt-backup --repo acme/platform');
    expect(said).toContain('add --force -- config/deployments/mcpruntime-org.env');
    for (const name of ['restore.key', 'offline.txt', 'backup.key']) {
      for (const word of (await readFile(join(keys, name), 'utf8')).split(/\s+/).filter((one) => one.length > 40)) {
        expect(said).not.toContain(word);
      }
    }
  });

  it('says which workflows are not written where the source is elsewhere, and how to have them', async () => {
    await rm(join(folder, 'cmd'), { recursive: true });
    await run('--dry-run');
    expect(said).toContain('mcprt-deploy.yml and mcprt-reinstall.yml are not written');
    said = '';
    await run('--dry-run', '--source', 'acme/mcp-runtime@v1');
    expect(said).toContain('mcprt-deploy.yml: would be written');
    expect(said).toMatch(
      /acme\/mcp-runtime is private.*for each of mcprt-plan, production, mcprt-restore, mcprt-smoke\./,
    );
    expect(said).not.toContain('are not written');
  });

  it('installs from a source only, with a profile that has what an installation needs', async () => {
    await run('--install');
    expect(said).toContain('MCP_PLATFORM_ADMIN_EMAIL is required for setup.');
    expect(said).toContain('MCP_ACME_EMAIL is required for a first installation');
    await rm(join(folder, 'cmd'), { recursive: true });
    await rm(join(folder, '.github'), { recursive: true });
    said = '';
    await run('--install');
    expect(said).toMatch(/^init-source: --install has nothing to install from/);
    expect(await workflows()).toEqual([]);
  });

  it('prints no line for the mirror of the lab', async () => {
    await run('--dry-run');
    expect(said).toContain('### mcprt-drill');
    expect(said).not.toContain('MCPRT_LAB_URL');
  });

  it('run again changes no key and no file', async () => {
    await run();
    const keys = join(folder, '..', 'platform-mcprt-keys', 'restore.key');
    const backup = join(folder, '.github', 'workflows', 'mcprt-backup.yml');
    await writeFile(backup, 'name: our own\n');
    const before = await readFile(keys, 'utf8');
    said = '';
    await run();
    expect(await readFile(keys, 'utf8')).toBe(before);
    expect(await readFile(backup, 'utf8')).toBe('name: our own\n');
    expect(said).toContain('mcprt-backup.yml: is there and differs: left alone');
    expect(said).toContain('mcprt-reinstall.yml: is there already');
  });

  it('makes no new keys where the first ones were put away, unless it is told to', async () => {
    await run();
    const keys = join(folder, '..', 'platform-mcprt-keys');
    await rm(keys, { recursive: true });
    said = '';
    await run();
    expect(await readdir(keys).catch(() => [])).toEqual([]);
    expect(said).toContain('# MCPRT_BACKUP_KEY stays as it is');
    expect(said).not.toContain('backup.key');
    for (const args of [['--new-keys'], []]) {
      said = '';
      await run(...args);
      expect((await readdir(keys)).sort()).toEqual(['backup.key', 'offline.txt', 'old-restore.key', 'restore.key']);
      expect(said).not.toMatch(/^gh secret set MCPRT_RESTORE_KEY/m);
      expect(said).toContain('if test -s');
      expect(said.split('fetch the old restore key')).toHaveLength(2);
      expect(said.indexOf('fetch the old restore key')).toBeLessThan(said.indexOf('gh secret set MCPRT_RESTORE_KEY'));
      expect(said).toContain('`gh workflow run mcprt-drill.yml`');
      expect(said).toMatch(/store the new restore key alone.* --env mcprt-restore .* --env mcprt-drill /);
    }
  });

  it('stores a new restore key before anything is signed with the new backup key', async () => {
    await run();
    said = '';
    await run('--new-keys');
    const lines = said.split('\n').filter((line) => !line.startsWith('- [ ]'));
    const at = (secret: string): number[] =>
      lines.flatMap((line, index) => (line.includes(`gh secret set ${secret}`) ? [index] : []));
    expect(Math.max(...at('MCPRT_RESTORE_KEY'))).toBeLessThan(Math.min(...at('MCPRT_BACKUP_KEY')));
    expect(said).toContain('another set is made each time');
  });

  it('names what is to be put away of the old sets before the folder is deleted', async () => {
    await run();
    said = '';
    await run('--new-keys');
    for (const name of ['offline.txt', 'restore.key']) {
      const at = said.lastIndexOf(join('old-1', name));
      expect(at).toBeGreaterThan(-1);
      expect(at).toBeLessThan(said.indexOf('delete the folder'));
    }
  });

  it('stops before the workflows of one platform get the profile of another', async () => {
    await run();
    await writeFile(join(folder, 'config', 'deployments', 'staging.env'), 'export MCP_PLATFORM_DOMAIN=s.dev\n');
    said = '';
    await run('--profile', 'config/deployments/staging.env', '--new-keys');
    expect(said).toMatch(/^init-prefix: .*\n.*\nnext: a second platform takes --prefix NAME/);
    expect(await readdir(join(folder, '..', 'platform-mcprt-keys'))).toHaveLength(3);
    said = '';
    await run('--profile', 'config/deployments/staging.env', '--prefix', 'staging');
    expect(await workflows()).toContain('staging-backup.yml');
  });

  it('puts no keys into the repository', async () => {
    await run('--keys', join(folder, 'keys'));
    expect(said).toMatch(/^init-keys-inside: /);
    expect(await workflows()).toEqual([]);
  });

  it('puts no keys into the repository from a folder of it either, and its workflows where GitHub reads them', async () => {
    await mkdir(join(folder, 'infra'));
    await rename(join(folder, 'config'), join(folder, 'infra', 'config'));
    await initCommand(['--in', join(folder, 'infra'), ...uses], root);
    expect(await readdir(join(folder, '..', 'platform-mcprt-keys'))).toHaveLength(3);
    expect(await readdir(join(folder, 'infra'))).toEqual(['config']);
    expect(await readFile(join(folder, '.github', 'workflows', 'mcprt-backup.yml'), 'utf8')).toContain(
      'profile: infra/config/deployments/mcpruntime-org.env',
    );
    said = '';
    await initCommand(['--in', join(folder, 'infra'), ...uses, '--keys', join(folder, 'keys')], root);
    expect(said).toMatch(/^init-keys-inside: /);
  });

  it('puts no keys where a link or another repository would have them added', async () => {
    await symlink(folder, join(folder, '..', 'link'));
    await run('--keys', join(folder, '..', 'link', 'keys'));
    expect(said).toMatch(/^init-keys-inside: the folder for the keys is inside of the repository/);
    said = '';
    execFileSync('git', ['init', '--quiet'], { cwd: join(folder, '..') });
    await run();
    expect(said).toMatch(/^init-keys-inside: the folder for the keys is inside of another repository/);
    await writeFile(join(folder, '.gitignore'), 'keys/\n');
    await run('--keys', join(folder, 'keys'));
    expect(await readdir(join(folder, 'keys'))).toHaveLength(3);
  });

  it.each(['x;>pwned;$(>pwned)`>pwned`', `it's&&>pwned|"$HOME"`, 'feature/#1-=@u{a,b}<pwned'])(
    'prints lines that run nothing of a branch called %s',
    async (branch) => {
      git('checkout', '--quiet', '-b', branch);
      git('-c', 'user.name=a', '-c', 'user.email=a@b', 'commit', '--quiet', '--allow-empty', '-m', 'x');
      await run();
      const stubs = join(folder, '..', 'stubs');
      await mkdir(stubs);
      for (const name of ['gh', 'kubectl', 'openssl']) {
        const text = `#!/bin/sh\nprintf '<%s>' ${name} "$@" >> "$CALLS"\necho 1\ncat > /dev/null < /dev/null\n`;
        await writeFile(join(stubs, name), text, { mode: 0o755 });
      }
      const lines = [...said.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, text = '']) => text).join('');
      const env = { PATH: `${stubs}:${process.env.PATH ?? ''}`, CALLS: join(stubs, 'calls'), HOME: stubs };
      execFileSync('bash', ['-c', lines], { cwd: folder, env, stdio: 'pipe' });
      expect(await readdir(folder)).not.toContain('pwned');
      const calls = await readFile(join(stubs, 'calls'), 'utf8');
      expect(calls).toContain(`<-f><name=${branch}>`);
      expect(calls).toContain(`<repos/acme/platform/rules/branches/${encodeURIComponent(branch)}>`);
    },
  );

  it('says whether workflows have owners', async () => {
    await run();
    expect(said).toContain('No CODEOWNERS names who must review workflows');
    await writeFile(join(folder, 'CODEOWNERS'), '* @acme/all\n');
    said = '';
    await run();
    expect(said).toContain('workflows are reviewed by @acme/all');
  });

  it('speaks of the workflows of a prefix by their own names', async () => {
    await writeFile(join(folder, 'CODEOWNERS'), '/.github/workflows/staging-* @acme/staging\n');
    await run('--prefix', 'staging', '--install');
    expect(said).toContain('workflows are reviewed by @acme/staging');
    expect(said).toContain('staging-deploy plans an installation');
    said = '';
    await run('--prefix', 'staging', '--install', '--new-keys');
    // Each of these would be the first platform's.
    expect(said).not.toMatch(/mcprt-(?:approval|backup|deploy|drill|plan|pull|reinstall|restore|smoke|wipe)/);
    expect(said).not.toMatch(/gh variable set \S+ --repo/);
  });

  it.each([
    ['deletion\\npull_request', 'changes of main go through a pull request (deletion, pull_request)'],
    ['deletion', 'GitHub knows no rule by which changes of main go through a pull request'],
  ])('asks GitHub about the branch, where its command line is there: %s', async (rules, expected) => {
    const stubs = join(folder, '..', 'stubs');
    await mkdir(stubs);
    await writeFile(join(stubs, 'gh'), `#!/bin/sh\ncase "$*" in *rules*) printf '${rules}\\n';; esac\n`, {
      mode: 0o755,
    });
    const before = process.env.PATH;
    process.env.PATH = `${stubs}:${before}`;
    await run();
    process.env.PATH = before;
    expect(said).toContain(expected);
  });

  it('writes nothing where the accounts cannot be made', async () => {
    await run('--accounts');
    expect(said).toMatch(/^kubeconfig-missing: /);
    said = '';
    await run('--accounts', '--server', 'api.example.com');
    expect(said).toMatch(/^init-server: /);
    expect(await workflows()).toEqual([]);
  });

  it('takes no option that would do nothing, and none that is empty', async () => {
    await run('--tokens');
    expect(said).toMatch(/^init-options: /);
    said = '';
    await run('--server', '');
    expect(said.trimEnd().split('\n').at(-1)).toContain('--server has an empty value');
    expect(process.exitCode).toBe(2);
    expect(await workflows()).toEqual([]);
  });

  it('names the profiles that are there where the wanted one is not', async () => {
    await writeFile(join(folder, 'config', 'deployments', 'two.env'), 'export MCP_PLATFORM_DOMAIN=example.net\n');
    await run('--profile', 'config/deployments/prod.env');
    expect(said).toMatch(/^init-profiles: there is no deployment profile config\/deployments\/prod\.env/);
    expect(said).toContain('--profile config/deployments/two.env');
    await writeFile(join(folder, 'config', 'deployments', 'three.env.example'), 'export MCP_PLATFORM_DOMAIN=a.net\n');
    said = '';
    await run('--profile', 'config/deployments/three.env');
    expect(said).toContain('## Profile');
  });

  it('says how it is called when it is called wrongly, and last what is wrong', async () => {
    await run('--foo');
    expect(said.trimEnd().split('\n').at(-1)).toContain('--foo');
    expect(said).toContain('--dry-run  says');
    expect(process.exitCode).toBe(2);
  });

  it('quotes paths, and sets no secret from nothing', async () => {
    await run('--keys', join(folder, '..', 'my keys'));
    expect(said).toMatch(/gh secret set MCPRT_BACKUP_KEY .* < '.*\/my keys\/backup\.key'/);
    expect(said).toContain('test -n "$key" && printf %s "$key" | gh secret set MCP_ADMIN_KEY');
    expect(said).not.toMatch(/gh secret set KUBECONFIG/);
    expect(said).toContain(
      'If that is not done yet, run this again with --accounts as an administrator of the cluster',
    );
  });

  it.each([
    ['platform.example', ['variable set MCP_DOMAIN --env mcprt-preview --repo acme/platform --body platform.example']],
    ['', ['Not set: MCP_DOMAIN']],
  ])('sets the domain that a server’s platform has, and none in its place: "%s"', async (domain, expected) => {
    await rm(join(folder, 'config'), { recursive: true });
    await rm(join(folder, 'cmd'), { recursive: true });
    await mkdir(join(folder, '.mcp'));
    await writeFile(join(folder, '.mcp', 'servers.yaml'), 'version: v1\nservers: [{name: a, image: a/b}]\n');
    await run();
    const [line = ''] = said.split('\n').filter((one) => one.includes('MCP_DOMAIN --env mcprt-preview '));
    const stubs = `kubectl() { printf %s '${domain}'; }; gh() { echo "$@"; }; `;
    const told = execFileSync('bash', ['--norc', '-c', `exec 2>&1; ${stubs}${line}`], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    expect(told.trim().split('\n')).toEqual(expected);
  });

  it('writes nothing in a dry run', async () => {
    await run('--dry-run');
    expect(await workflows()).toEqual([]);
    expect(await readdir(join(folder, '..'))).toEqual(['platform']);
  });

  it('says why it can do nothing in a repository without profile and server', async () => {
    await rm(join(folder, 'config'), { recursive: true });
    await run();
    expect(said).toMatch(/^init-nothing: /);
    expect(process.exitCode).toBe(1);
  });

  it('asks for the profile by name where there are several', async () => {
    const deployments = join(folder, 'config', 'deployments');
    await rm(join(deployments, 'mcpruntime-org.env'));
    for (const name of ['one.env', 'two.env'])
      await writeFile(join(deployments, name), 'export MCP_PLATFORM_DOMAIN=a.dev\n');
    await run();
    expect(said).toMatch(/^init-profiles: /);
    expect(said).toContain('--prefix NAME');
    said = '';
    await run('--profile', 'config/deployments/two.env');
    expect(await readFile(join(folder, '.github', 'workflows', 'mcprt-backup.yml'), 'utf8')).toContain(
      'profile: config/deployments/two.env',
    );
  });

  it('says when it is not in a repository', async () => {
    await rm(join(folder, '.git'), { recursive: true });
    await run();
    expect(said).toMatch(/^init-no-repository: /);
  });
});
