import { join } from 'node:path';
import pMap from 'p-map';
import type { ActionRun } from '../../lab/driver/action.js';
import { startGithub } from '../../lab/github/github.js';
import { recordsAt, textAt } from '../../shared/cluster/fields.js';
import type { Proof, ProofContext } from '../support/proof.js';
import { resultOf, said } from '../support/runs.js';
import { certificateCount } from '../world/installation.js';
import { inWorld, type World } from '../world/world.js';
import { type StoreCase, storeCases } from './cases.js';
import { keeping } from './keeping.js';
import { plantPoison, tracesOf } from './poison.js';
import { realServers } from './real.js';
import { makeSteps } from './steps.js';

const repository = { name: 'acme/platform', id: 42 };
/** Most cases wait for a service, and not for the processor. */
const parallel = 5;

/** The official cache and artifact clients, in the shipped bundle, against services that fail in every known way. */
export const stores: Proof = {
  name: 'stores',
  claim:
    'all five stores keep one contract, two of them on servers that others wrote; a backup counts only when a store gave it back, every refusal of GitHub’s stores is told by its cause, and an hourly run backs up what changed, deletes what is old and tells by one issue when nothing fresh is left',
  run: (context) => inWorld(context, ['platform'], (world) => everyStore(context, world)),
};

async function everyStore(context: ProofContext, world: World) {
  if (context.flags.only === 'real') return { ...(await realServers(context, world)) };
  const runs = await laterRun(context, world);
  const kept = await keeping(world);
  const real = await realServers(context, world);
  const cases = storeCases.filter(({ slow }) => !(slow && context.small));
  await pMap(cases, (one, at) => failingStore(context, world, one, at), { concurrency: parallel });
  return {
    runs: runs + kept.runs + real.runs + cases.length,
    realServers: real.figures,
    hours: kept.figures,
    cases: cases.length,
    failedAsTheyMust: cases.filter(({ holds }) => !holds).length,
    keptElsewhere: cases.filter(({ holds, fails }) => holds && fails).length,
  };
}

/** One backup, and what a later run makes of it: whole, with lost parts, and beside a planted entry. */
async function laterRun(context: ProofContext, world: World): Promise<number> {
  const github = await startGithub({ repository });
  const later = github.as({ id: github.run.id + 1, job: 'restore' });
  const { step, runs } = makeSteps(world);
  try {
    const both = { generation: '1', stores: 'cache,artifact', certificates: String(certificateCount) };
    const made = await step(github, 'backup', {}, { outputs: both });
    await step(later, 'verify', {}, { outputs: both });
    await step(later, 'plan', { 'max-orders': '0' }, { outputs: { generation: '1', orders: '0' } });
    await step(later, 'restore', {}, { outputs: { generation: '1', orders: '0', stores: 'cache' } });
    await step(
      later,
      'restore',
      { stores: 'artifact' },
      { outputs: { generation: '1', orders: '0', stores: 'artifact' } },
    );
    const tokenless = { 'github-token': '' };
    await step(later, 'verify', tokenless, {
      outputs: { stores: 'cache' },
      says: ['the input `github-token` is empty'],
    });
    await step(
      later,
      'verify',
      { ...tokenless, stores: 'artifact' },
      { error: 'store-token', says: ['actions: read'] },
    );

    const poison = await plantPoison(github, context.folder, world.domain);
    const foreign = 'it holds an entry that no backup has: file';
    const newer = { error: 'backup-newer-unreadable', says: [foreign, poison.key, 'find out who wrote'] };
    await step(later, 'restore', { stores: 'cache' }, newer);
    await step(later, 'restore', {}, newer);
    await step(
      later,
      'restore',
      { allow: 'older-backup' },
      { outputs: { stores: 'cache', orders: '0' }, says: [`passed over: cache, ${poison.key}`] },
    );
    context.expectSame('what the planted entry was unpacked to', tracesOf(poison), []);
    github.evict(poison.key);

    github.evict(made.outputs.name ?? '');
    await step(
      later,
      'verify',
      {},
      { outputs: { stores: 'artifact' }, says: ['cache does not hold generation 1: the cache has no entry'] },
    );
    await step(later, 'plan', {}, { outputs: { stores: 'artifact', orders: '0' } });
    await step(
      later,
      'plan',
      { stores: 'cache' },
      { error: 'backup-none', says: ['Entries go after 7 days', 'restore from the artifact'] },
    );
    github.tamper('artifacts', made.outputs.name ?? '');
    const tampered = await world.backup(
      'restore',
      { stores: 'artifact', 'github-token': later.token },
      { ...later.env },
    );
    context.expectRefused('a changed artifact', /^backup-(?:digest|malformed|signature)$/, tampered);
    return runs() + 1;
  } finally {
    await github.close();
  }
}

/** A backup with something wrong at GitHub's side comes to what it must. */
async function failingStore(context: ProofContext, world: World, one: StoreCase, at: number): Promise<void> {
  const { holds, fails = {}, says = [] } = one;
  const { expect, expectEnd, expectSame } = context.about(one.name);
  const github = await startGithub({ repository, ...(one.run ? { run: one.run } : {}) });
  try {
    for (const fault of one.faults ?? []) github.inject(fault);
    const given = { 'github-token': github.token, directory: join(context.folder, `directory-${at}`), ...one.inputs };
    const done = await world.backup('backup', given, { ...github.env, ...one.env });
    const mustFail = !holds;
    expectEnd('the backup', mustFail ? 'backup-not-stored' : undefined, done);
    expectSame('who holds it', done.outputs.stores ?? '', (holds ?? []).join());
    for (const text of says) expect(said(done).includes(text), `it does not say "${text}"`, done);
    const told = mustFail ? fails : failuresIn(done);
    for (const [store, code] of Object.entries(fails)) {
      const isTold = !mustFail || new RegExp(`${store}: [\\s\\S]*?\\(${code}\\)`).test(said(done));
      expect(told[store] === code && isTold, `${store} does not fail with ${code}`, done);
    }
    expectSame('stores that failed', Object.keys(told).sort(), Object.keys(fails).sort());
  } finally {
    await github.close();
  }
}

function failuresIn(run: ActionRun): Record<string, string> {
  const failed = recordsAt(resultOf(run), 'failedStores');
  return Object.fromEntries(failed.map((one) => [textAt(one, 'store'), textAt(one, 'code')]));
}
