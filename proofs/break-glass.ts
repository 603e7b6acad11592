import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../lab/driver/folders.js';
import { difference } from '../lab/driver/meter.js';
import { leaves } from './leaves.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { appNamespaces, onPlatform, type Rig } from './rig.js';

const run = promisify(execFile);

export const breakGlass: Proof = {
  name: 'break-glass',
  claim: 'stock openssl, age and kubectl commands, taken from docs/break-glass.md itself, restore a backup',
  run: (context) => onPlatform(context, byHand),
};

async function byHand(context: ProofContext, rig: Rig): Promise<Proven> {
  const backup = await rig.act('backup');
  if (backup.code !== 0) return { ok: false, figures: {}, problems: [backup.log] };
  const before = await leaves(rig.cluster);
  await rig.wipe([...appNamespaces, 'cert-manager']);
  const counted = await rig.meter();

  const commands = shellBlocks(await readFile(join(root, 'docs', 'break-glass.md'), 'utf8'));
  const tools = await prepare(context, rig);
  const script = ['set -eu', ...commands].join('\n');
  const env = { PATH: `${tools}:${context.env.PATH}`, KUBECONFIG: rig.state.kubeconfig, HOME: tools };
  const shell = await run('sh', ['-c', script], { cwd: join(context.folder, 'by-hand'), env }).catch(
    (error: { stdout?: string; stderr?: string }) => ({
      stdout: error.stdout ?? '',
      stderr: `FAILED\n${error.stderr ?? ''}`,
    }),
  );
  await rig.install();
  const { orders, issued } = difference(counted, await rig.meter());
  const serialsEqual = JSON.stringify(before) === JSON.stringify(await leaves(rig.cluster));
  const verified = shell.stdout.includes('Signature Verified Successfully');
  const refused = await tampered(context, env, commands);
  const problems = [
    ...(shell.stderr.startsWith('FAILED') ? [shell.stderr] : []),
    ...(verified ? [] : ['openssl did not confirm the signature']),
    ...(refused ? [] : ['a changed statement passed the check']),
  ];
  return {
    ok: problems.length === 0 && serialsEqual && orders === 0 && issued === 0,
    figures: {
      commands: commands.length,
      signatureVerified: verified,
      tamperedRefused: refused,
      orders,
      issued,
      serialsEqual,
    },
    problems,
  };
}

/** The page's shell blocks, in their order. */
function shellBlocks(page: string): string[] {
  return [...page.matchAll(/^```sh\n([\s\S]*?)^```$/gm)].map(([, block]) => block ?? '');
}

/** Lays out what the page assumes: the two files, and the tools by their names. */
async function prepare(context: ProofContext, rig: Rig): Promise<string> {
  const [work, tools] = [join(context.folder, 'by-hand'), join(context.folder, 'tools')];
  await Promise.all([mkdir(work), mkdir(tools)]);
  const [name] = await readdir(rig.backups);
  await copyFile(join(rig.backups, name ?? ''), join(work, 'backup.tar'));
  await writeFile(join(work, 'offline.txt'), rig.keys.offline, { mode: 0o600 });
  await symlink(rig.state.program.age, join(tools, 'age'));
  await writeFile(join(tools, 'kubectl'), `#!/bin/sh\nexec ${rig.state.program.lab} kubectl "$@"\n`, { mode: 0o755 });
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
