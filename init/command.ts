import { basename, join, resolve } from 'node:path';
import { checkoutThatAdds } from '../shared/backup/key-files.js';
import { letReadersGo } from '../shared/closed-pipe.js';
import { givenOptions, tellError } from '../shared/command.js';
import { McprtError } from '../shared/errors.js';
import { withPages } from '../shared/pages.js';
import { type Access, makeIdentities, makeTokens, removeAccess, tryServer } from './access.js';
import { checklist, renewed } from './checklist.js';
import { usualPrefix } from './environments.js';
import { askGithub } from './github.js';
import { stateOfKeys, writeKeys } from './key-folder.js';
import { requireTogether } from './options.js';
import { requireOwnProfile } from './own-profile.js';
import { requireRoom } from './paths.js';
import { type InitPlan, planInit, type Templates } from './plan.js';
import { type Facts, observeRepository } from './repository-facts.js';
import { parseRunsOn } from './runs-on.js';
import { parseSource } from './source.js';
import { parseStores } from './stores.js';
import { checkoutAt, chooseUses } from './uses.js';
import { textsIn, workflowsOf, writeWorkflows } from './workflow-files.js';

const help = `Writes the workflows and keys for a repository, and prints what is left to do by hand.

  node dist/init.js [--in FOLDER] [--profile PATH] [--keys FOLDER] [--accounts [--tokens]] [--renew] [--remove] [--server URL] [--install] [--stores LIST] [--runs-on LABELS] [--new-keys] [--prefix NAME] [--dry-run]

  --in       the repository, or the folder of it where the platform is  (the present folder)
  --profile  deployment profile, where there are several                (config/deployments/*.env)
  --uses     OWNER/REPO@REF of the mcprt that the workflows call        (origin and tag of the clone that this is)
  --prefix   what workflows and environments begin with, where the repository has several platforms: one run for each  (mcprt)
  --source   OWNER/NAME[@REF] of MCP Runtime's source, where the repository holds only a profile
  --stores   where backups are kept: cache, artifact, oci, s3, with commas      (cache,artifact)
  --runs-on  labels of your own runners, with commas                    (ubuntu-latest)
  --branch   the default branch                                         (asked of GitHub)
  --keys     folder for new keys, where no git would add them           (next to the repository: NAME-mcprt-keys)
  --accounts lets the jobs of each environment into the cluster of the kubeconfig, by the identity that GitHub gives them, with
             the RBAC of what they do; writes the file by which the API server takes these identities
  --tokens   with --accounts: accounts with tokens that end, where the API server cannot be told
  --renew    new tokens for such accounts, and nothing else
  --remove   takes everything of mcprt's off the cluster of the kubeconfig
  --server   address of the API server, as the runner reaches it; TLS is tried with it  (the one of the kubeconfig)
  --skip-server-check  does not try it, where only the runner reaches it
  --audience whom the identities are for                                (the address of the API server)
  --issuer   issuer of the identities, as https://HOST/_services/token of a GitHub Enterprise Server
  --issuer-ca       path of its CA in PEM, where the control plane does not trust it
  --repository      [HOST/]OWNER/NAME                                   (what git knows)
  --repository-id   GitHub's number of it                               (asked by gh, where that is there)
  --install  mcprt-deploy runs the platform's installer, as a first installation needs
  --new-keys makes a new set where keys were made before, and keeps the old ones, which backups that exist need
  --dry-run  says what would be written, and writes nothing

The kubeconfig is that of KUBECONFIG, or else the profile's, or else ~/.kube/config.
`;

const optionTypes = {
  in: { type: 'string', default: '.' },
  profile: { type: 'string', default: '' },
  keys: { type: 'string' },
  uses: { type: 'string', default: '' },
  source: { type: 'string', default: '' },
  branch: { type: 'string', default: '' },
  prefix: { type: 'string', default: usualPrefix },
  accounts: { type: 'boolean', default: false },
  tokens: { type: 'boolean', default: false },
  renew: { type: 'boolean', default: false },
  remove: { type: 'boolean', default: false },
  server: { type: 'string', default: '' },
  'skip-server-check': { type: 'boolean', default: false },
  audience: { type: 'string', default: '' },
  issuer: { type: 'string', default: '' },
  'issuer-ca': { type: 'string', default: '' },
  repository: { type: 'string', default: '' },
  'repository-id': { type: 'string', default: '' },
  install: { type: 'boolean', default: false },
  stores: { type: 'string', default: '' },
  'runs-on': { type: 'string', default: '' },
  'new-keys': { type: 'boolean', default: false },
  'dry-run': { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

/**
 * The command that prepares a repository. It asks nothing, overwrites nothing, and prints no key.
 *
 * @param release folder of this release of mcprt, with examples/ and .github/workflows/ in it
 */
export async function initCommand(args: string[], release: string): Promise<void> {
  const home = resolve(release);
  letReadersGo(process.stdout, process.stderr);
  const values = givenOptions(help, { args, options: optionTypes });
  if (values === undefined) return;
  if (values.help) {
    process.stdout.write(help);
    return;
  }
  try {
    process.stdout.write(withPages(await init({ ...values, home }), home));
  } catch (error) {
    if (!(error instanceof McprtError)) throw error;
    tellError(error, (text) => withPages(text, home));
  }
}

interface Options {
  in: string;
  profile: string;
  keys?: string | undefined;
  uses: string;
  source: string;
  branch: string;
  prefix: string;
  accounts: boolean;
  tokens: boolean;
  renew: boolean;
  remove: boolean;
  server: string;
  'skip-server-check': boolean;
  audience: string;
  issuer: string;
  'issuer-ca': string;
  repository: string;
  'repository-id': string;
  install: boolean;
  stores: string;
  'runs-on': string;
  'new-keys': boolean;
  'dry-run': boolean;
  home: string;
}

/** @returns what is to be told, in Markdown */
async function init(options: Options): Promise<string> {
  const { in: named, keys: wanted, 'dry-run': isDry, home, prefix } = options;
  if (!/^[a-z0-9](?:[a-z0-9-]{0,29}[a-z0-9])?$/.test(prefix)) {
    throw new McprtError('init-prefix', {
      what: `${JSON.stringify(prefix)} cannot be what names of environments and files begin with`,
      why: 'a prefix has up to 31 lower-case letters, digits and dashes, and neither begins nor ends with a dash',
      next: 'give another one with --prefix, such as staging',
    });
  }
  requireTogether({ ...options });
  const source = parseSource(options.source);
  const stores = parseStores(options.stores);
  const runsOn = parseRunsOn(options['runs-on']);
  const folder = resolve(named);
  const { profile, repository, branch, install: installs } = options;
  const given = { profile, repository, branch, installs, prefix };
  if (options.remove) {
    // Whoever uninstalls may have deleted the repository before.
    return remove(process.env.KUBECONFIG || (await observeRepository(folder, process.env, given)).kubeconfig, isDry);
  }
  const [facts, templates, clone] = await Promise.all([
    observeRepository(folder, process.env, given),
    templatesOf(home),
    checkoutAt(home),
  ]);
  const { root, outermost } = facts;
  const own = prefix === usualPrefix ? prefix : `${prefix}-${usualPrefix}`;
  const keys = resolve(wanted ?? join(outermost, '..', `${basename(root)}-${own}-keys`));
  const checkout = await checkoutThatAdds(keys);
  if (checkout !== undefined) {
    throw new McprtError('init-keys-inside', {
      what: `the folder for the keys is inside of ${checkout === root ? 'the repository' : 'another repository'}`,
      why: `${keys} would be taken along by the next \`git add\` in ${checkout}`,
      next: 'give a folder outside of it with --keys',
    });
  }
  // Whoever renews tokens writes no workflow.
  const uses = options.renew ? undefined : chooseUses(options.uses, clone, facts.present.values());
  const plan = planInit(facts, templates, { install: options.install, uses, prefix, source, stores, runsOn });
  if (plan.files.length === 0) {
    throw new McprtError('init-nothing', {
      what: `${folder} has nothing that mcprt has a workflow for`,
      why: 'there is neither a deployment profile (config/deployments/*.env) nor an MCP server (.mcp/servers.yaml)',
      next: 'run it in the repository from which the platform is deployed, or in that of an MCP server; a profile elsewhere in it is named with --profile',
    });
  }
  requireOwnProfile(facts, prefix, uses);
  if (options.install && !plan.installs) {
    throw new McprtError('init-source', {
      what: '--install has nothing to install from',
      why: `the source of MCP Runtime is not in ${root}: it has no folder cmd/mcp-runtime${facts.profile === undefined ? ', and no deployment profile' : ''}`,
      next: 'say in which repository it is, with --source OWNER/NAME@REF; on github.com a fork or copy of it does',
    });
  }
  const keyState = await stateOfKeys(keys, plan, options['new-keys']);
  await requireRoom(keys, []);
  const news = plan.files.filter(({ state }) => state === 'new').map(({ name }) => name);
  if (!options.renew && news.length > 0) await requireRoom(workflowsOf(root), news);
  // First what may fail: whoever lacks an account would push workflows whose environments are not there.
  const access = await accessOf(facts, plan, keys, options);
  if (options.renew) return renewed(access, keys, facts);
  if (!isDry) {
    // Keys first: where workflows are there already, keys count as made.
    if (plan.needsKeys) await writeKeys(keys, keyState);
    await writeWorkflows(root, plan.files);
  }
  const { branchRules } = await askGithub(facts, facts.branch, process.env);
  const sources = {
    keys,
    rbac: join(home, 'docs', 'rbac'),
    access,
    isAsked: options.accounts,
    keyState,
    branchRules,
    isDry,
    uses,
    prefix,
  };
  return `${isDry ? 'Nothing is written.\n\n' : ''}${checklist(plan, facts, sources)}`;
}

async function remove(kubeconfig: string, isDry: boolean): Promise<string> {
  const removed = await removeAccess(kubeconfig, isDry);
  const heading = isDry ? 'Would be taken off the cluster; nothing was:' : 'Taken off the cluster:';
  const said =
    removed.length === 0
      ? [`There ${isDry ? 'is' : 'was'} nothing of mcprt’s on the cluster.`]
      : [heading, ...removed.map((one) => `- ${one}`)];
  return [...said, '', 'What is left to take away, outside of the cluster: docs/uninstall.md', ''].join('\n');
}

/** What `--accounts` or `--renew` makes on the cluster; nothing without them, and nothing in a dry run. */
async function accessOf(
  facts: Facts,
  { environments }: InitPlan,
  keys: string,
  options: Options,
): Promise<Access | undefined> {
  const { accounts, tokens, renew, server, 'dry-run': isDry } = options;
  const isUnchecked = options['skip-server-check'];
  if (!(accounts || renew)) return undefined;
  if (isDry) {
    await tryServer(facts, { server, isUnchecked });
    return undefined;
  }
  if (renew || tokens) return makeTokens(facts, environments, { folder: keys, server, isUnchecked, renews: renew });
  return makeIdentities(facts, environments, {
    folder: keys,
    server,
    isUnchecked,
    audience: options.audience,
    issuer: options.issuer,
    issuerAuthority: options['issuer-ca'],
    repositoryId: options['repository-id'],
  });
}

async function templatesOf(home: string): Promise<Templates> {
  const [examples, called] = await Promise.all([textsIn(join(home, 'examples')), textsIn(workflowsOf(home))]);
  return { examples, called };
}
