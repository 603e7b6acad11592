import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../lab/driver/folders.js';
import { type StoreServers, startStoreServers } from '../lab/driver/store-servers.js';
import { inputsFor, makeBuckets } from './stores/real.js';
import { leaves } from './support/leaves.js';
import type { Proof, ProofContext } from './support/proof.js';
import { mustWork } from './support/runs.js';
import { appNamespaces } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

const run = promisify(execFile);

export const breakGlass: Proof = {
  name: 'break-glass',
  claim:
    'stock openssl, age and kubectl commands, taken from docs/break-glass.md itself, restore a backup, which oras brings out of a registry and curl out of a bucket',
  run: (context) => inWorld(context, ['platform'], (world) => withServers(context, world)),
};

async function withServers(context: ProofContext, world: World) {
  const folder = join(context.folder, 'store-servers');
  await mkdir(folder);
  const servers = await startStoreServers(folder, context);
  try {
    await makeBuckets(servers);
    return await byHand(context, world, servers);
  } finally {
    await servers.close();
  }
}

async function byHand(context: ProofContext, world: World, servers: StoreServers) {
  const made = mustWork(
    'the backup',
    await world.backup('backup', { ...inputsFor(servers), stores: 'directory,oci,s3' }),
  );
  context.expectSame('who holds it', made.outputs.stores, 'directory,oci,s3');
  const before = await leaves(world.cluster);
  await world.wipe([...appNamespaces, 'cert-manager']);
  const page = await readFile(join(root, 'docs', 'break-glass.md'), 'utf8');
  const commands = shellBlocks(page, '');
  const tools = await prepare(context, world, servers);
  const env = { PATH: `${tools}:${context.env.PATH}`, KUBECONFIG: world.kubeconfig, HOME: tools };
  const fetched = await fetchedByHand(context, servers, { env, page, name: made.outputs.name ?? '' });
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
  return { commands: commands.length, fetched, signatureVerified, tamperedRefused, orders, issued, serialsEqual };
}

/** The page's shell blocks, in their order: those of everybody, or those for one store. */
function shellBlocks(page: string, store: string): string[] {
  return [...page.matchAll(/^```sh ?([a-z0-9]*)\n([\s\S]*?)^```$/gm)]
    .filter(([, marked]) => marked === store)
    .map(([, , block]) => block ?? '');
}

/** Brings the backup out of each server by the page's own commands, and checks there who made it. @returns how often */
async function fetchedByHand(
  context: ProofContext,
  servers: StoreServers,
  { env, page, name }: { env: NodeJS.ProcessEnv; page: string; name: string },
): Promise<string[]> {
  const [unpack = '', ...rest] = shellBlocks(page, '');
  const checks = rest.slice(0, 2);
  const ways: Record<string, NodeJS.ProcessEnv> = {
    oci: { OCI_ARTIFACT: `${servers.registry}/acme/backups:${name}` },
    s3: {
      S3_KEYS: servers.s3Credentials,
      S3_REGION: servers.region,
      S3_OBJECT: `${servers.s3}/backups/a%20b%2Bc/%C3%BC/${name}.mcprt`,
    },
  };
  for (const [store, more] of Object.entries(ways)) {
    const cwd = join(context.folder, `by-hand-${store}`);
    await mkdir(cwd);
    await copyFile(join(context.folder, 'by-hand', 'offline.txt'), join(cwd, 'offline.txt'));
    // An artifact's files come by themselves; of the page's first block only the names are needed then.
    const first = store === 'oci' ? unpack.replace(/^tar .*$/m, '') : unpack;
    const script = [
      'set -eu',
      ...shellBlocks(page, store),
      first,
      ...checks,
      'age -d -i "$OFFLINE_KEY" payload.age | wc -c',
    ];
    const trusting = { SSL_CERT_FILE: servers.caFile, CURL_CA_BUNDLE: servers.caFile };
    const shell = await run('sh', ['-c', script.join('\n')], { cwd, env: { ...env, ...trusting, ...more } }).catch(
      (error: { stdout?: string; stderr?: string }) => {
        context.fail(`out of ${store}: the commands failed: ${error.stderr ?? ''}`);
        return { stdout: '' };
      },
    );
    context.expect(shell.stdout.includes('Signature Verified Successfully'), `out of ${store}: no signature`);
  }
  return Object.keys(ways);
}

/** Lays out what the page assumes: the two files, and the tools by their names. */
async function prepare(context: ProofContext, { backups, keys, state }: World, servers: StoreServers): Promise<string> {
  const [work, tools] = [join(context.folder, 'by-hand'), join(context.folder, 'tools')];
  await Promise.all([mkdir(work), mkdir(tools)]);
  const [name] = await readdir(backups);
  await copyFile(join(backups, name ?? ''), join(work, 'backup.tar'));
  await writeFile(join(work, 'offline.txt'), keys.offline, { mode: 0o600 });
  await symlink(state.program.age, join(tools, 'age'));
  await symlink(servers.oras, join(tools, 'oras'));
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
