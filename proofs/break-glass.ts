import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../lab/driver/folders.js';
import { leaves } from './support/leaves.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import { appNamespaces } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

const run = promisify(execFile);

export const breakGlass: Proof = {
  name: 'break-glass',
  claim: 'stock openssl, age and kubectl commands, taken from docs/break-glass.md itself, restore a backup',
  run: (context) => inWorld(context, ['platform'], (world) => byHand(context, world)),
};

async function byHand(context: ProofContext, world: World) {
  mustWork('the backup', await world.backup('backup'));
  const before = await leaves(world.cluster);
  await world.wipe([...appNamespaces, 'cert-manager']);
  const commands = shellBlocks(await readFile(join(root, 'docs', 'break-glass.md'), 'utf8'));
  const tools = await prepare(context, world);
  const env = { PATH: `${tools}:${context.env.PATH}`, KUBECONFIG: world.kubeconfig, HOME: tools };
  const { result, orders, issued } = await world.counting(async () => {
    const shell = await run('sh', ['-c', ['set -eu', ...commands].join('\n')], {
      cwd: join(context.folder, 'by-hand'),
      env,
    }).catch((error: { stdout?: string; stderr?: string }) => {
      context.fail(`the commands failed: ${error.stderr ?? ''}`);
      return { stdout: error.stdout ?? '' };
    });
    await world.install();
    return shell.stdout;
  });
  context.expect(orders === 0 && issued === 0, `${orders} orders, ${issued} issuances`);
  const serialsEqual = context.expectSame('the certificates', await leaves(world.cluster), before);
  const signatureVerified = result.includes('Signature Verified Successfully');
  context.expect(signatureVerified, 'openssl did not confirm the signature');
  const tamperedRefused = await tampered(context, env, commands);
  context.expect(tamperedRefused, 'a changed statement passed the check');
  return { commands: commands.length, signatureVerified, tamperedRefused, orders, issued, serialsEqual };
}

/** The page's shell blocks, in their order. */
function shellBlocks(page: string): string[] {
  return [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
}

/** Lays out what the page assumes: the two files, and the tools by their names. */
async function prepare(context: ProofContext, { backups, keys, state }: World): Promise<string> {
  const [work, tools] = [join(context.folder, 'by-hand'), join(context.folder, 'tools')];
  await Promise.all([mkdir(work), mkdir(tools)]);
  const [name] = await readdir(backups);
  await copyFile(join(backups, name ?? ''), join(work, 'backup.tar'));
  await writeFile(join(work, 'offline.txt'), keys.offline, { mode: 0o600 });
  await symlink(state.program.age, join(tools, 'age'));
  await writeFile(join(tools, 'kubectl'), `#!/bin/sh\nexec ${state.program.lab} kubectl "$@"\n`, { mode: 0o755 });
  return tools;
}

/** The page's own check must stop at a statement that was changed: otherwise it would prove nothing. */
async function tampered(context: ProofContext, env: NodeJS.ProcessEnv, commands: string[]): Promise<boolean> {
  const work = join(context.folder, 'tampered');
  await mkdir(work);
  for (const file of ['backup.tar', 'offline.txt'])
    await copyFile(join(context.folder, 'by-hand', file), join(work, file));
  const [unpack = '', check = ''] = commands;
  const change = `sed -i 's/"payload":"\\(....\\)/"payload":"\\1AAAA/' statement.dsse.json`;
  return run('sh', ['-c', ['set -eu', unpack, change, check].join('\n')], { cwd: work, env }).then(
    () => false,
    () => true,
  );
}
