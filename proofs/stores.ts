import { join } from 'node:path';
import pMap from 'p-map';
import type { ActionRun } from '../lab/driver/action.js';
import { startGithub } from '../lab/github/github.js';
import type { Proof, ProofContext, Proven } from './proof.js';
import { onPlatform, type Rig, rigCertificateCount } from './rig.js';
import { type StoreCase, storeCases } from './stores/cases.js';
import { keeping } from './stores/keeping.js';
import { plantPoison, tracesOf } from './stores/poison.js';
import { makeSteps, said, tail } from './stores/steps.js';

const repository = { name: 'acme/platform', id: 42 };
/** Most cases wait for a service, and not for the processor. */
const parallel = 5;

/** The official cache and artifact clients, in the shipped bundle, against services that fail in every known way. */
export const stores: Proof = {
  name: 'stores',
  claim:
    'a backup counts only when a store gave it back, every refusal of GitHub’s stores is told by its cause, and an hourly run backs up what changed, deletes what is old and tells by one issue when nothing fresh is left',
  run: (context) => onPlatform(context, prove),
};

async function prove(context: ProofContext, rig: Rig): Promise<Proven> {
  const flow = await laterRun(context, rig);
  const kept = await keeping(rig);
  const cases = storeCases.filter(({ slow }) => !(slow && context.small));
  const failures = await pMap(cases, (one, at) => problemsOf(context, rig, one, at), { concurrency: parallel });
  const problems = [...flow.problems, ...kept.problems, ...failures.flat()];
  return {
    ok: problems.length === 0,
    figures: {
      runs: flow.runs + kept.runs + cases.length,
      hours: kept.figures,
      cases: cases.length,
      failedAsTheyMust: cases.filter(({ holds }) => holds.length === 0).length,
      keptElsewhere: cases.filter(({ holds, fails }) => holds.length > 0 && Object.keys(fails).length > 0).length,
    },
    problems,
  };
}

/** One backup, and what a later run makes of it: whole, with lost parts, and beside a planted entry. */
async function laterRun(context: ProofContext, rig: Rig): Promise<{ runs: number; problems: string[] }> {
  const github = await startGithub({ repository });
  const later = github.as({ id: github.run.id + 1, job: 'restore' });
  const steps = makeSteps(rig);
  const { step, problems } = steps;
  try {
    const both = { generation: '1', stores: 'cache,artifact', certificates: String(rigCertificateCount) };
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

    const poison = await plantPoison(github, context.folder, rig.installation.domain);
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
    problems.push(...tracesOf(poison).map((path) => `the planted entry was unpacked: ${path}`));
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
    const tampered = await rig.act('restore', { stores: 'artifact', 'github-token': later.token }, { ...later.env });
    if (tampered.code !== 1 || !/^backup-(?:digest|malformed|signature)$/.test(tampered.error ?? '')) {
      problems.push(`a changed artifact is refused with ${tampered.error}`);
    }
    return { runs: steps.runs + 1, problems };
  } finally {
    await github.close();
  }
}

/** What is wrong with one case's end; nothing when it was as it must be. */
async function problemsOf(context: ProofContext, rig: Rig, one: StoreCase, at: number): Promise<string[]> {
  const github = await startGithub({ repository, ...(one.run ? { run: one.run } : {}) });
  try {
    for (const fault of one.faults ?? []) github.inject(fault);
    const directory = join(context.folder, `directory-${at}`);
    const done = await rig.act(
      'backup',
      { 'github-token': github.token, directory, ...one.inputs },
      { ...github.env, ...one.env },
    );
    const mustFail = one.holds.length === 0;
    const problems: string[] = [];
    if (done.code !== (mustFail ? 1 : 0) || done.error !== (mustFail ? 'backup-not-stored' : undefined)) {
      problems.push(`exit ${done.code} with ${done.error ?? 'no error'}: ${tail(done)}`);
    }
    if ((done.outputs.stores ?? '') !== one.holds.join()) problems.push(`it says that ${done.outputs.stores} holds it`);
    for (const text of one.says)
      if (!said(done).includes(text)) problems.push(`it does not say "${text}": ${tail(done)}`);
    const told = mustFail ? one.fails : failuresIn(done);
    for (const [store, code] of Object.entries(one.fails)) {
      if (told[store] !== code || (mustFail && !new RegExp(`${store}: [\\s\\S]*?\\(${code}\\)`).test(said(done)))) {
        problems.push(`${store} does not fail with ${code}: ${tail(done)}`);
      }
    }
    if (Object.keys(told).length !== Object.keys(one.fails).length) {
      problems.push(`${Object.keys(told).join()} failed, not ${Object.keys(one.fails).join()}`);
    }
    return problems.map((problem) => `${one.name}: ${problem}`);
  } finally {
    await github.close();
  }
}

function failuresIn({ outputs }: ActionRun): Record<string, string> {
  const result = JSON.parse(outputs.result ?? '{}') as { failedStores?: { store: string; code: string }[] };
  return Object.fromEntries((result.failedStores ?? []).map(({ store, code }) => [store, code]));
}
