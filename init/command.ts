import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeKeys } from '../shared/backup/keys.js';
import { McprtError } from '../shared/errors.js';
import { checklist } from './checklist.js';
import { lookAt } from './look.js';
import { type InitPlan, planInit, type Templates } from './plan.js';

const help = `Writes the workflows and keys for a repository, and prints what is left to do by hand.

  node dist/init.js [--in FOLDER] [--profile PATH] [--keys FOLDER] [--dry-run]

  --in       the repository                                             (the present folder)
  --profile  deployment profile, where there are several                (config/deployments/*.env)
  --keys     folder for new keys, outside of the repository             (next to it: NAME-mcprt-keys)
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
  'dry-run': boolean;
  home: string;
}

async function init({ in: given, profile, keys: wanted, 'dry-run': isDry, home }: Options): Promise<void> {
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
  process.stdout.write(checklist(plan, facts, { keys, rbac: join(home, 'docs', 'rbac') }));
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
  const made = await mkdir(folder, { recursive: true, mode: 0o700 });
  if (made === undefined && (await readdir(folder)).length > 0) return;
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
