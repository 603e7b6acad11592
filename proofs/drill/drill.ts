import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openChosen } from '../../lab/drill/sealed.js';
import { labNames, stopLab } from '../../lab/driver/lab.js';
import { type KeySet, makeKeys, readBackupKey, readRestoreKey } from '../../shared/backup/keys.js';
import { sealBackup } from '../../shared/backup/seal.js';
import type { Snapshot } from '../../shared/backup/snapshot.js';
import type { BackupContext } from '../../shared/backup/statement.js';
import { directoryStore } from '../../shared/backup/stores/directory-store.js';
import { nameFor } from '../../shared/backup/stores/store.js';
import { clusterCanaries, keyCanaries } from '../support/canaries.js';
import { versionOf } from '../support/cert-manager-versions.js';
import { round1, sum } from '../support/figures.js';
import { filesBelow, type LeakSearch, leakSearch } from '../support/leaks.js';
import { type Leaf, leaves } from '../support/leaves.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { mustWork } from '../support/runs.js';
import { certificateCount } from '../world/installation.js';
import { inWorld, type World } from '../world/world.js';
import { type Broken, brokenBackups } from './broken.js';
import { type DrillCall, type DrillRun, runDrill } from './run.js';

const unmasked = (): void => undefined;

/** The restore drill finds what a restore would cost before anyone needs it, and names the certificate and the cause. */
export const drillProof: Proof = {
  name: 'drill',
  claim:
    'a good backup drills with no order and the same serial numbers; each backup that would order is found, with the certificate and the reason',
  async run(context) {
    const { good, state, keys } = await inWorld(context, ['platform', 'github'], async (world) => ({
      good: await backUp(context, world),
      state: world.state,
      keys: world.keys,
    }));
    // The drills bring labs of their own: the cluster that was backed up may be lost.
    await stopLab(state);
    return drills(context, keys, good);
  },
  inTable: ({ drills: count, broken }) => `${count} drills, ${broken} broken backups found`,
};

/** What the cluster leaves behind: a fetched backup, and what it must be restored to. */
interface Good {
  directory: string;
  leaves: Leaf[];
  search: LeakSearch;
}

async function backUp(context: ProofContext, world: World<'github'>): Promise<Good> {
  const { github, keys } = world;
  const later = github.as({ id: github.run.id + 1, job: 'drill' });
  const stored = { stores: 'cache,artifact', 'github-token': github.token };
  const made = mustWork('the backup', await world.backup('backup', stored, github.env));
  const fetched = async (stores: string, inputs: Record<string, string> = {}): Promise<string> => {
    const directory = join(context.folder, `fetched-${stores}`);
    const given = { kubeconfig: '', stores, directory, 'github-token': later.token, ...inputs };
    const run = await world.backup('fetch', given, later.env);
    const { expectDone, expectSame } = context.about(`fetch from ${stores}`);
    expectDone('exit', run);
    for (const name of ['name', 'created-at']) expectSame(name, run.outputs[name], made.outputs[name]);
    return directory;
  };
  const asRestorer = { 'backup-key': '', 'restore-key': keys.restore };
  const folders = [await fetched('cache,artifact'), await fetched('cache'), await fetched('artifact', asRestorer)];
  const copies = await Promise.all(folders.map(onlyFile));
  context.expect(
    copies.every((copy) => copy.equals(copies[0] ?? Buffer.alloc(0))),
    'the copies differ',
  );
  const [directory = ''] = folders;
  const canaries = [...(await clusterCanaries(world.cluster)), ...keyCanaries('own', keys)];
  return { directory, leaves: await leaves(world.cluster), search: leakSearch(canaries) };
}

async function onlyFile(folder: string): Promise<Buffer> {
  const names = await readdir(folder).catch(() => []);
  return names[0] === undefined || names.length > 1 ? Buffer.alloc(0) : readFile(join(folder, names[0]));
}

async function drills(context: ProofContext, keys: KeySet, good: Good) {
  const { folder } = context;
  const version = context.flags['cert-manager'];
  const own = typeof version === 'string' ? ['--cert-manager', versionOf(version)] : [];
  const call: DrillCall = { directory: good.directory, restoreKey: keys.restore, folder, more: own };
  const check = async (name: string, run: DrillRun, found: string[]): Promise<void> => {
    context.progress(`  ${name}: exit ${run.code} after ${run.seconds.toFixed(1)} s`);
    const all = [...found, ...(await remains(run, good.search))];
    context.expect(all.length === 0, `${name}: ${all.join('; ')}\n${run.told.slice(-2500)}`);
  };

  const opened = await openChosen(
    good.directory,
    { domain: undefined },
    readRestoreKey(keys.restore, unmasked),
    unmasked,
  );
  const chosen = join(folder, 'chosen');
  await cp(good.directory, chosen, { recursive: true });
  const [newer] = brokenBackups;
  if (newer) await keepSealed(chosen, await newer.alter(opened.snapshot), opened.context, keys);
  const choice = ['--generation', String(opened.context.generation)];
  const first = await runDrill({ ...call, directory: chosen, choice });
  await check('good, beside a newer one', first, goodProblems(first, good));
  const { only } = context.flags;
  const broken = brokenBackups.filter(({ name }, at) =>
    typeof only === 'string' ? name.includes(only) : at < 5 || !context.small,
  );
  const seconds = [first.seconds];
  for (const one of broken) {
    const directory = join(folder, `broken-${seconds.length}`);
    await keepSealed(directory, await one.alter(opened.snapshot), opened.context, keys);
    const run = await runDrill({ ...call, directory });
    seconds.push(run.seconds);
    await check(one.name, run, brokenProblems(run, one, good));
  }
  const foreign = await makeKeys('hybrid');
  const unusable: [string, Partial<DrillCall>, string][] = [
    ['key of another set', { restoreKey: foreign.restore }, 'backup-unsigned'],
    ['backup key', { restoreKey: keys.backup }, 'key-wrong-kind'],
    ['no key', { restoreKey: '' }, 'drill-usage'],
    ['no such generation', { choice: ['--generation', '9'] }, 'backup-missing'],
    ['no number', { choice: ['--generation', 'newest'] }, 'drill-usage'],
    ['no folder', { directory: join(folder, 'nowhere') }, 'drill-usage'],
    ['damaged backup', { directory: await damaged(folder, good.directory) }, 'backup-malformed'],
  ];
  for (const [name, change, code] of unusable) {
    const run = await runDrill({ ...call, ...change });
    await check(name, run, endProblems(run, code));
  }
  const stopped = await runDrill({
    ...call,
    // By then the lab holds every secret of the backup.
    onProgress: (text, pid) => void (text.includes('cert-manager runs') && process.kill(pid, 'SIGTERM')),
  });
  await check('stopped by a signal', stopped, endProblems(stopped, 'drill-cancelled'));
  return {
    drills: seconds.length + unusable.length + 1,
    good: { orders: first.result?.orders, kept: countKept(first), recoverySeconds: first.result?.seconds.total },
    broken: broken.length,
    reasons: new Set(broken.map(({ reason }) => reason)).size,
    secondsEach: round1(sum(seconds) / seconds.length),
    searchedFor: good.search.needles,
  };
}

function goodProblems(run: DrillRun, good: Good): string[] {
  const { code, result, summary, outputs } = run;
  if (result === undefined) return ['there is no result'];
  const serials = result.certificates.map((one) => [`${one.namespace}/${one.name}`, one.serial, one.serialAfter]);
  const wanted = good.leaves.map(({ certificate, serial }) => [certificate, serial, serial]);
  return [
    ...(code === 0 && result.ok && result.findings.length === 0 ? [] : [`exit ${code} with ${run.codes.join()}`]),
    ...(result.orders === 0 && result.reissued === 0 ? [] : [`${result.orders} orders, ${result.reissued} reissued`]),
    ...(countKept(run) === certificateCount ? [] : [`${countKept(run)} kept`]),
    ...(JSON.stringify(serials) === JSON.stringify(wanted) ? [] : [`serial numbers: ${JSON.stringify(serials)}`]),
    ...(summary.includes('**0 orders.**') ? [] : ['the summary does not say 0 orders']),
    ...(summary.includes('Worth knowing') ? ['the summary warns of something'] : []),
    ...(/^orders<<(\S+)\n0\n\1$/m.test(outputs) && /^seconds<<(\S+)\n[\d.]+\n\1$/m.test(outputs)
      ? []
      : ['the outputs do not say how many orders and seconds']),
  ];
}

function brokenProblems(run: DrillRun, one: Broken, good: Good): string[] {
  const { code, result, codes, summary } = run;
  if (result === undefined) return ['there is no result'];
  const wanted = [...(one.isRefused ? ['drill-refused'] : []), 'drill-orders'];
  const [trouble, ...others] = result.certificates.filter(({ outcome }) => outcome !== 'kept');
  const orders = one.outcome === 'ordered' ? 1 : 0;
  const key = `${trouble?.namespace}/${trouble?.name}`;
  const changed = result.certificates.filter(
    ({ namespace, name, serialAfter }) =>
      `${namespace}/${name}` !== one.certificate &&
      serialAfter !== good.leaves.find(({ certificate }) => certificate === `${namespace}/${name}`)?.serial,
  );
  return [
    ...(code === 1 && !result.ok && codes.join() === wanted.join() ? [] : [`exit ${code} with ${codes.join()}`]),
    ...(key === one.certificate && trouble?.outcome === one.outcome ? [] : [`${key} was ${trouble?.outcome}`]),
    ...others.map(({ namespace, name, outcome }) => `${namespace}/${name} was ${outcome} too`),
    ...(trouble?.reason === one.reason ? [] : [`the reason is ${trouble?.reason}`]),
    ...(one.message.test(trouble?.message ?? '') ? [] : [`cert-manager’s message is "${trouble?.message}"`]),
    ...(one.explanation.test(trouble?.explanation ?? '') ? [] : [`the explanation is "${trouble?.explanation}"`]),
    ...((trouble?.next ?? '') === '' ? ['it does not say what to do'] : []),
    ...(result.orders === orders && result.reissued === 1 - orders
      ? []
      : [`${result.orders} orders, ${result.reissued} reissued`]),
    ...changed.map(({ namespace, name }) => `${namespace}/${name} has another serial number`),
    ...(summary.includes(`\`${one.certificate}\``) && summary.includes(one.reason)
      ? []
      : ['the summary does not name the certificate and the reason']),
  ];
}

function endProblems({ code, codes }: DrillRun, wanted: string): string[] {
  return code === 1 && codes.join() === wanted ? [] : [`exit ${code} with ${codes.join()}, not ${wanted}`];
}

function countKept({ result }: DrillRun): number {
  return result?.certificates.filter(({ outcome }) => outcome === 'kept').length ?? 0;
}

/** What a drill has left: a lab, files, or a secret in what it told. */
async function remains({ pid, folder, told }: DrillRun, search: LeakSearch): Promise<string[]> {
  const labs = (await labNames(process.env)).filter((name) => name.startsWith(`drill-${pid}-`));
  const files = await filesBelow(folder);
  return [
    ...labs.map((name) => `the lab ${name} was left`),
    ...files.map(({ path }) => `the file ${path} was left`),
    ...files.flatMap(({ path, text }) => search.in(text).map((name) => `${name} is in ${path}`)),
    ...search.in(told).map((name) => `it told ${name}`),
  ];
}

/** Seals an altered snapshot with the right keys, as the next generation: nothing but its content is wrong. */
async function keepSealed(directory: string, snapshot: Snapshot, context: BackupContext, keys: KeySet): Promise<void> {
  const { recipients: _, ...next } = { ...context, generation: context.generation + 1 };
  const sealed = await sealBackup(snapshot, next, readBackupKey(keys.backup, unmasked));
  await directoryStore(directory).save(nameFor(next.domain, next.generation, next), sealed);
}

async function damaged(folder: string, directory: string): Promise<string> {
  const bytes = await onlyFile(directory);
  const place = join(folder, 'damaged');
  await directoryStore(place).save('mcprt-backup-example.com-g00000001-r1.1', bytes.subarray(0, bytes.length / 2));
  return place;
}
