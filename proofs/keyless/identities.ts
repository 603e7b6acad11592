import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../../lab/driver/folders.js';
import type { LabState } from '../../lab/driver/lab.js';
import { until } from '../../lab/driver/until.js';
import { type IdentityJob, type IdentityProvider, startIdentityProvider } from '../../lab/github/identity-provider.js';

const run = promisify(execFile);

/** A cluster whose API server takes identities, as `init` and its user have made it. */
export interface KeylessCluster {
  provider: IdentityProvider;
  /** The inputs in place of a kubeconfig. */
  inputs: Record<string, string>;
  /** Variables of a job that may ask for its identity, of the right one unless it is said otherwise; `environment` may be none. */
  job(more?: Partial<IdentityJob> & { kept?: string }): Record<string, string>;
  /** Runs the shipped command. @returns what it printed */
  init(...args: string[]): Promise<string>;
  /** Folder in which it wrote what it made. */
  made: string;
  close(): Promise<void>;
}

export const repository = { name: 'Acme/Platform', id: '42' };

/**
 * Has the control plane of a lab take the identities of a repository's jobs, as its administrator would: runs
 * `init --accounts`, copies the file that it wrote, and waits until `init` itself says that the API server takes them.
 *
 * @param init runs the command with some arguments, and gives what it printed
 * @param made the folder in which it writes
 */
export async function letIn(
  init: (...args: string[]) => Promise<string>,
  {
    provider,
    state,
    repository: own,
    made,
  }: {
    provider: IdentityProvider;
    state: Pick<LabState, 'authentication'>;
    repository: { name: string; id: string };
    made: string;
  },
): Promise<void> {
  // What runs here is of no release, and has no remote.
  const args = ['--uses', 'org/mcprt@v1', '--accounts', '--repository', own.name, '--repository-id', own.id];
  const issuer = ['--issuer', provider.issuer, '--issuer-ca', provider.authorityFile];
  const first = await init(...args, ...issuer);
  if (!first.includes('does not know this issuer yet'))
    throw new Error(`init does not say that the API server knows no issuer:\n${first}`);
  // In one step, as `install` does it: an API server that sees half a file says so, and looks again.
  await copyFile(join(made, 'authentication.yaml'), `${state.authentication}.next`);
  await rename(`${state.authentication}.next`, state.authentication);
  const isKnown = async (): Promise<boolean> => (await init(...args, ...issuer)).includes('knows this issuer');
  await until('the API server to take the identities', isKnown, { every: 500 });
}

/**
 * Runs the shipped `init --accounts` in a repository, copies the file that it wrote to the control plane, and waits until
 * `init` itself says that the API server takes the identities.
 */
export async function makeKeyless(
  state: LabState,
  folder: string,
  more: readonly string[] = [],
): Promise<KeylessCluster> {
  const provider = await startIdentityProvider(join(folder, 'issuer'));
  try {
    return await openDoor(state, folder, provider, more);
  } catch (error) {
    await provider.close();
    throw error;
  }
}

async function openDoor(
  state: LabState,
  folder: string,
  provider: IdentityProvider,
  more: readonly string[],
): Promise<KeylessCluster> {
  const checkout = join(folder, 'repository');
  const made = join(folder, 'made');
  await mkdir(join(checkout, 'config', 'deployments'), { recursive: true });
  await mkdir(join(checkout, 'cmd', 'mcp-runtime'), { recursive: true });
  await run('git', ['init', '--quiet', '--initial-branch=main'], { cwd: checkout });
  await writeFile(
    join(checkout, 'config', 'deployments', 'mcpruntime-org.env'),
    'export MCP_PLATFORM_DOMAIN=example.com\n',
  );
  const init = async (...args: string[]): Promise<string> => {
    const command = [join(root, 'dist', 'init.js'), '--in', checkout, '--keys', made, ...args];
    const { stdout, stderr } = await run(process.execPath, command, {
      env: { PATH: process.env.PATH, HOME: folder, KUBECONFIG: state.kubeconfig },
    });
    return stdout + stderr;
  };
  await letIn((...args) => init(...args, ...more), { provider, state, repository, made });
  return {
    provider,
    made,
    init,
    inputs: {
      kubeconfig: '',
      server: state.server,
      'certificate-authority': await readFile(join(made, 'certificate-authority.pem'), 'utf8'),
    },
    job: ({ kept, ...one } = {}) => {
      const facts = {
        repository: repository.name,
        repositoryId: repository.id,
        environment: 'mcprt-backup',
        ref: 'refs/heads/main',
        event: 'workflow_dispatch',
        workflowRef: 'org/mcprt/.github/workflows/backup.yml@refs/tags/v1',
        ...one,
      };
      const { environment, ...rest } = facts;
      return provider.job(environment === '' ? rest : facts, kept).env;
    },
    close: () => provider.close(),
  };
}
