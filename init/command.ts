import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { checkoutThatAdds, writeKeyFiles } from '../shared/backup/key-files.js';
import { makeKeys } from '../shared/backup/keys.js';
import { McprtError, messageOf } from '../shared/errors.js';
import { type Access, makeIdentities, makeTokens, removeAccess } from './access.js';
import { checklist, renewed } from './checklist.js';
import { askGithub } from './github.js';
import { type InitPlan, planInit, type Templates } from './plan.js';
import { type Facts, observeRepository } from './repository-facts.js';

const help = `Writes the workflows and keys for a repository, and prints what is left to do by hand.

  node dist/init.js [--in FOLDER] [--profile PATH] [--keys FOLDER] [--accounts [--tokens]] [--renew] [--remove] [--server URL] [--install] [--new-keys] [--dry-run]

  --in       the repository, or the folder of it where the platform is  (the present folder)
  --profile  deployment profile, where there are several                (config/deployments/*.env)
  --keys     folder for new keys, where no git would add them           (next to the repository: NAME-mcprt-keys)
  --accounts lets the jobs of each environment into the cluster of KUBECONFIG, by the identity that GitHub gives them, with
             the RBAC of what they do; writes the file by which the API server takes these identities
  --tokens   accounts with tokens that end instead, where the API server cannot be told
  --renew    new tokens for such accounts, and nothing else
  --remove   takes everything of mcprt's off the cluster of KUBECONFIG
  --server   address of the API server, as the runner reaches it        (the one of KUBECONFIG)
  --audience whom the identities are for                                (the address of the API server)
  --issuer   issuer of the identities, as https://HOST/_services/token of a GitHub Enterprise Server
  --issuer-ca       path of its CA in PEM, where the control plane does not trust it
  --repository      OWNER/NAME                                          (what git knows)
  --repository-id   GitHub's number of it                               (asked by gh, where that is there)
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
        tokens: { type: 'boolean', default: false },
        renew: { type: 'boolean', default: false },
        remove: { type: 'boolean', default: false },
        server: { type: 'string', default: '' },
        audience: { type: 'string', default: '' },
        issuer: { type: 'string', default: '' },
        'issuer-ca': { type: 'string', default: '' },
        repository: { type: 'string', default: '' },
        'repository-id': { type: 'string', default: '' },
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
  tokens: boolean;
  renew: boolean;
  remove: boolean;
  server: string;
  audience: string;
  issuer: string;
  'issuer-ca': string;
  repository: string;
  'repository-id': string;
  install: boolean;
  'new-keys': boolean;
  'dry-run': boolean;
  home: string;
}

async function init(options: Options): Promise<void> {
  const { in: given, profile, keys: wanted, 'dry-run': isDry, home } = options;
  const folder = resolve(given);
  if (options.remove) {
    // Whoever uninstalls may have deleted the repository before.
    await remove(process.env.KUBECONFIG || (await observeRepository(folder, process.env, profile)).kubeconfig, isDry);
    return;
  }
  const [found, templates] = await Promise.all([observeRepository(folder, process.env, profile), templatesOf(home)]);
  const facts = options.repository === '' ? found : { ...found, repository: options.repository };
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
  const access = await accessOf(facts, plan, keys, options);
  if (options.renew) {
    process.stdout.write(renewed(access, keys, facts));
    return;
  }
  if (isDry) process.stdout.write('Nothing is written.\n\n');
  else await write(root, plan, keysAre === 'made' ? keys : undefined);
  const { branchRules } = await askGithub(facts.repository, facts.branch, process.env);
  const sources = { keys, rbac: join(home, 'docs', 'rbac'), access, keysAre, branchRules, isDry };
  process.stdout.write(checklist(plan, facts, sources));
}

async function remove(kubeconfig: string, isDry: boolean): Promise<void> {
  const removed = isDry ? [] : await removeAccess(kubeconfig);
  const said = isDry
    ? ['Everything of mcprt’s on the cluster would be taken away; nothing was.']
    : removed.length === 0
      ? ['There was nothing of mcprt’s on the cluster.']
      : ['Taken off the cluster:', ...removed.map((one) => `- ${one}`)];
  process.stdout.write(
    `${[...said, '', 'What is left to take away, outside of the cluster: docs/uninstall.md', ''].join('\n')}`,
  );
}

/** Keys that are there stay, and so do those that were made before and put away: backups were made with them. */
async function stateOf(keys: string, { files }: InitPlan, isNew: boolean): Promise<'made' | 'there' | 'left'> {
  const names = await readdir(keys).catch((): string[] => []);
  if (names.some((name) => /\.key$|^offline\.txt$/.test(name))) return 'there';
  const wereMade = files.some(({ name, state }) => state !== 'new' && !/preview/.test(name));
  return wereMade && !isNew ? 'left' : 'made';
}

/** What `--accounts` and its kin make on the cluster; nothing without them, and nothing in a dry run. */
async function accessOf(
  facts: Facts,
  { environments }: InitPlan,
  keys: string,
  options: Options,
): Promise<Access | undefined> {
  const { accounts, tokens, renew, server, 'dry-run': isDry } = options;
  if (isDry || !(accounts || tokens || renew)) return undefined;
  if (renew || tokens) return makeTokens(facts, environments, { folder: keys, server, renews: renew });
  return makeIdentities(facts, environments, {
    folder: keys,
    server,
    audience: options.audience,
    issuer: options.issuer,
    issuerAuthority: options['issuer-ca'],
    repositoryId: options['repository-id'],
  });
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
