import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkoutThatAdds, writeKeyFiles } from '../shared/backup/key-files.js';
import { makeKeys } from '../shared/backup/keys.js';
import { connect } from '../shared/cluster/connect.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { type Account, isLoopback, makeAccount } from './accounts.js';
import { checklist } from './checklist.js';
import { type Facts, lookAt } from './look.js';
import { type InitPlan, planInit, type Templates } from './plan.js';

const help = `Writes the workflows and keys for a repository, and prints what is left to do by hand.

  node dist/init.js [--in FOLDER] [--profile PATH] [--keys FOLDER] [--accounts] [--server URL] [--install] [--new-keys] [--dry-run]

  --in       the repository, or the folder of it where the platform is  (the present folder)
  --profile  deployment profile, where there are several                (config/deployments/*.env)
  --keys     folder for new keys, where no git would add them           (next to the repository: NAME-mcprt-keys)
  --accounts makes the account of each environment on the cluster of KUBECONFIG, with the RBAC of its operation
  --server   address of the API server for these accounts               (the one of KUBECONFIG)
  --install  mcprt-deploy runs the platform's installer, as a first installation needs
  --new-keys makes a new set where keys were made before: backups that exist then need the old ones
  --dry-run  says what would be written, and writes nothing
`;

/**
 * The command that prepares a repository. It asks nothing, overwrites nothing, and prints no key.
 *
 * @param home folder of this release of mcprt, with examples/ and .github/workflows/ in it
 */
export async function initCommand(args: string[], home: string): Promise<void> {
  const values = optionsOf(args);
  if (values === undefined) return;
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

/** @returns undefined where they are wrong, which is told with how they should be */
function optionsOf(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        in: { type: 'string', default: '.' },
        profile: { type: 'string', default: '' },
        keys: { type: 'string' },
        accounts: { type: 'boolean', default: false },
        server: { type: 'string', default: '' },
        install: { type: 'boolean', default: false },
        'new-keys': { type: 'boolean', default: false },
        'dry-run': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n\n${help}`);
    process.exitCode = 2;
    return undefined;
  }
}

interface Options {
  in: string;
  profile: string;
  keys?: string | undefined;
  accounts: boolean;
  server: string;
  install: boolean;
  'new-keys': boolean;
  'dry-run': boolean;
  home: string;
}

async function init(options: Options): Promise<void> {
  const { in: given, profile, keys: wanted, 'dry-run': isDry, home } = options;
  const folder = resolve(given);
  const [facts, templates] = await Promise.all([lookAt(folder, process.env, profile), templatesOf(home)]);
  const { root } = facts;
  const keys = resolve(wanted ?? join(root, '..', `${basename(root)}-mcprt-keys`));
  const checkout = await checkoutThatAdds(keys);
  if (checkout !== undefined) {
    throw new McprtError('init-keys-inside', {
      what: `the folder for the keys is inside of ${checkout === root ? 'the repository' : 'another repository'}`,
      why: `${keys} would be taken along by the next \`git add\` in ${checkout}`,
      next: 'give a folder outside of it with --keys',
    });
  }
  const plan = planInit(facts, templates, options.install);
  if (plan.files.length === 0) {
    throw new McprtError('init-nothing', {
      what: `${folder} has nothing that mcprt has a workflow for`,
      why: 'there is neither a deployment profile (config/deployments/*.env) nor an MCP server (.mcp/servers.yaml)',
      next: 'run it in the repository from which the platform is deployed, or in that of an MCP server',
    });
  }
  const keysAre = await stateOf(keys, plan, options['new-keys']);
  // First what may fail: whoever lacks an account would push workflows whose environments are not there.
  const accounts = options.accounts
    ? await accountsOf(facts, plan, { keys, server: options.server, isDry })
    : undefined;
  if (isDry) process.stdout.write('Nothing is written.\n\n');
  else await write(root, plan, keysAre === 'made' ? keys : undefined);
  process.stdout.write(checklist(plan, facts, { keys, rbac: join(home, 'docs', 'rbac'), accounts, keysAre, isDry }));
}

/** Keys that are there stay, and so do those that were made before and put away: backups were made with them. */
async function stateOf(keys: string, { files }: InitPlan, isNew: boolean): Promise<'made' | 'there' | 'left'> {
  const names = await readdir(keys).catch((): string[] => []);
  if (names.some((name) => /\.key$|^offline\.txt$/.test(name))) return 'there';
  const wereMade = files.some(({ name, state }) => state !== 'new' && !/preview/.test(name));
  return wereMade && !isNew ? 'left' : 'made';
}

async function accountsOf(
  facts: Facts,
  plan: InitPlan,
  { isDry, ...options }: { keys: string; server: string; isDry: boolean },
): Promise<Pick<Account, 'environment' | 'missing'>[]> {
  if (options.server !== '' && !URL.canParse(options.server)) {
    throw new McprtError('init-server', {
      what: `"${options.server}" is no address of an API server`,
      why: 'it is not a URL',
      next: 'give it as https://HOST:6443',
    });
  }
  return isDry ? [] : writeAccounts(facts, plan, options);
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
    for (const { name, secrets, operation } of environments) {
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

/** @param keys folder for new keys; none are made without it */
async function write(folder: string, { files, needsKeys }: InitPlan, keys: string | undefined): Promise<void> {
  const workflows = join(folder, '.github', 'workflows');
  await mkdir(workflows, { recursive: true });
  for (const { name, text, state } of files) {
    if (state === 'new') await writeFile(join(workflows, name), text, { flag: 'wx' });
  }
  if (needsKeys && keys !== undefined) await writeKeys(keys);
}

async function writeKeys(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeKeyFiles(folder, await makeKeys('hybrid'));
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
