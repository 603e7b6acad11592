import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeKeys } from '../shared/backup/keys.js';
import { connect } from '../shared/cluster/connect.js';
import { McprtError } from '../shared/errors.js';
import { type Account, isLoopback, makeAccount, operationOf } from './accounts.js';
import { checklist } from './checklist.js';
import { type Facts, lookAt } from './look.js';
import { type InitPlan, planInit, type Templates } from './plan.js';

const help = `Writes the workflows and keys for a repository, and prints what is left to do by hand.

  node dist/init.js [--in FOLDER] [--profile PATH] [--keys FOLDER] [--accounts] [--server URL] [--dry-run]

  --in       the repository                                             (the present folder)
  --profile  deployment profile, where there are several                (config/deployments/*.env)
  --keys     folder for new keys, outside of the repository             (next to it: NAME-mcprt-keys)
  --accounts makes the account of each environment on the cluster of KUBECONFIG, with the RBAC of its operation
  --server   address of the API server for these accounts               (the one of KUBECONFIG)
  --dry-run  says what would be written, and writes nothing
`;

/**
 * The command that prepares a repository. It asks nothing, overwrites nothing, and prints no key.
 *
 * @param home folder of this release of mcprt, with examples/ and .github/workflows/ in it
 */
export async function initCommand(args: string[], home: string): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      in: { type: 'string', default: '.' },
      profile: { type: 'string', default: '' },
      keys: { type: 'string' },
      accounts: { type: 'boolean', default: false },
      server: { type: 'string', default: '' },
      'dry-run': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  try {
    await init({ ...values, home });
  } catch (error) {
    if (!(error instanceof McprtError)) throw error;
    process.stderr.write(`${error.code}: ${error.message}\nwhy: ${error.why}\nnext: ${error.next}\n`);
    process.exitCode = 1;
  }
}

interface Options {
  in: string;
  profile: string;
  keys?: string | undefined;
  accounts: boolean;
  server: string;
  'dry-run': boolean;
  home: string;
}

async function init(options: Options): Promise<void> {
  const { in: given, profile, keys: wanted, 'dry-run': isDry, home } = options;
  const folder = resolve(given);
  const keys = wanted ?? join(folder, '..', `${basename(folder)}-mcprt-keys`);
  const [facts, templates] = await Promise.all([lookAt(folder, process.env, profile), templatesOf(home)]);
  const plan = planInit(facts, templates);
  if (plan.files.length === 0) {
    throw new McprtError('init-nothing', {
      what: `${folder} has nothing that mcprt has a workflow for`,
      why: 'there is neither a deployment profile (config/deployments/*.env) nor an MCP server (.mcp/servers.yaml)',
      next: 'run it in the repository from which the platform is deployed, or in that of an MCP server',
    });
  }
  if (isDry) process.stdout.write('Nothing is written.\n\n');
  else await write(folder, plan, keys);
  const accounts =
    options.accounts && !isDry ? await writeAccounts(facts, plan, { keys, server: options.server }) : undefined;
  process.stdout.write(checklist(plan, facts, { keys, rbac: join(home, 'docs', 'rbac'), accounts }));
}

async function writeAccounts(
  { kubeconfig }: Facts,
  { environments }: InitPlan,
  { keys, server }: { keys: string; server: string },
): Promise<Account[]> {
  const { cluster, credentials } = await connect({ kubeconfig });
  try {
    const address = server || credentials.server;
    if (isLoopback(address)) {
      process.stderr.write(
        `${address} leads to this machine itself: a runner elsewhere needs --server with the address that it reaches.\n`,
      );
    }
    const { ca } = credentials.tls;
    const certificateAuthority = ca === undefined ? undefined : Buffer.from(ca).toString('base64');
    await mkdir(keys, { recursive: true, mode: 0o700 });
    const made: Account[] = [];
    for (const { name, secrets } of environments) {
      const operation = operationOf[name];
      if (operation === undefined || !secrets.includes('KUBECONFIG')) continue;
      const account = await makeAccount(cluster, name, operation, { address, certificateAuthority });
      await writeFile(join(keys, `${name}.kubeconfig`), account.kubeconfig, { mode: 0o600 });
      made.push(account);
    }
    return made;
  } finally {
    await cluster.close();
  }
}

async function write(folder: string, { files, needsKeys }: InitPlan, keys: string): Promise<void> {
  const workflows = join(folder, '.github', 'workflows');
  await mkdir(workflows, { recursive: true });
  for (const { name, text, state } of files) {
    if (state === 'new') await writeFile(join(workflows, name), text, { flag: 'wx' });
  }
  if (needsKeys) await writeKeys(keys);
}

/** Keys that are there stay: backups were made with them. */
async function writeKeys(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  if ((await readdir(folder)).some((name) => /\.key$|^offline\.txt$/.test(name))) return;
  const { backup, restore, offline } = await makeKeys('hybrid');
  for (const [name, text] of Object.entries({ 'backup.key': backup, 'restore.key': restore, 'offline.txt': offline })) {
    await writeFile(join(folder, name), text, { mode: 0o600, flag: 'wx' });
  }
}

async function templatesOf(home: string): Promise<Templates> {
  const textsIn = async (folder: string): Promise<Map<string, string>> => {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.yml'));
    const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
    return new Map(await Promise.all(texts));
  };
  const [examples, called] = await Promise.all([
    textsIn(join(home, 'examples')),
    textsIn(join(home, '.github', 'workflows')),
  ]);
  return { examples, called };
}
