import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { root } from '../../lab/driver/folders.js';
import { type Bench, type Failed, openBench } from '../guards/bench.js';
import { type Random, seeded, seedOf } from '../random.js';
import type { Figures, Proof, ProofContext } from '../support/proof.js';
import { type Equivalent, equivalents } from './equivalent.js';
import { type Mutation, mutated, mutationsOf } from './mutate.js';
import { type Imports, importsIn, testsOf } from './reach.js';

/** What the promise stands on. */
const folders = ['shared/backup', 'shared/certificates', 'shared/cluster', 'shared/wipe'];
/** Share that must be killed. It only rises: nine of ten is what it is to be. */
const floor = 0.8;
/** How many of a handful may survive, whose share says little. */
const chance = 3;
const parallel = 2;
/** ms for a test file: a mutation may leave it waiting. */
const patience = 300_000;
/** What has tests of the code, and not of the repository, the lab and the proofs. */
const tested = ['shared', 'init', 'action-backup', 'action-rollout', 'action-setup', 'action-smoke-test'];

interface Mutant extends Mutation {
  file: string;
  source: string;
}

interface Outcome {
  mutant: Mutant;
  failed: Failed[];
}

export const mutationsProof: Proof = {
  name: 'mutations',
  claim: 'of random small faults in backup, certificates, cluster and wipe, eight of ten make a unit test fail',
  run: prove,
};

async function prove(context: ProofContext): Promise<Figures> {
  const { small, flags, env, progress } = context;
  const seed = flags.seed === undefined ? seedOf(env) : Number(flags.seed) >>> 0;
  const count = flags.count === undefined ? (small ? 6 : 30) : Number(flags.count);
  progress(`  seed ${seed}`);
  const all = await Promise.all(folders.map(mutantsIn));
  const known = equivalents.filter((one) => !all.flat().some((mutant) => isThat(one, mutant)));
  for (const { file, line } of known)
    context.fail(`no mutation is as in the list of equivalent ones: ${file}: ${line}`);
  const random = seeded(seed);
  const picked = all.flatMap((mutants, index) => {
    const share = Math.floor(count / all.length) + (index < count % all.length ? 1 : 0);
    return chosen(mutants, share, random);
  });
  const same = picked.filter((mutant) => equivalents.some((one) => isThat(one, mutant)));
  for (const mutant of same) progress(`  equivalent  ${lineAbout(mutant)}`);
  const outcomes = await tried(
    context,
    picked.filter((mutant) => !same.includes(mutant)),
  );
  const survivors = outcomes.filter(({ failed }) => failed.length === 0);
  // A loop without an end, or a machine that is too busy: it tells nothing of the tests.
  const endless = outcomes.filter(({ failed }) => failed.some((one) => one.endless));
  const told = outcomes.length - endless.length;
  const killed = told - survivors.length;
  if (survivors.length > Math.max(chance, told * (1 - floor))) {
    for (const { mutant } of survivors) context.fail(`survived: ${lineAbout(mutant)}`);
  }
  for (const one of await unsound(context, outcomes)) context.fail(one);
  return {
    seed,
    mutations: picked.length,
    killed,
    survived: survivors.length,
    endless: endless.length,
    equivalent: same.length,
  };
}

async function mutantsIn(folder: string): Promise<Mutant[]> {
  const names = (await readdir(join(root, folder), { recursive: true })).filter(
    (name) => name.endsWith('.ts') && !/\.test\.ts$|^testing\//.test(name),
  );
  const found = await Promise.all(
    names.sort().map(async (name) => {
      const file = join(folder, name);
      const source = await readFile(join(root, file), 'utf8');
      return mutationsOf(source).map((mutation): Mutant => ({ ...mutation, file, source }));
    }),
  );
  return found.flat();
}

/** Some of them, each of another line. */
function chosen(mutants: readonly Mutant[], count: number, random: Random): Mutant[] {
  const left = [...mutants];
  const taken: Mutant[] = [];
  while (taken.length < count && left.length > 0) {
    const [one] = left.splice(random.below(left.length), 1);
    if (one !== undefined && !taken.some(({ file, line }) => file === one.file && line === one.line)) taken.push(one);
  }
  return taken;
}

async function tried({ folder, progress }: ProofContext, mutants: readonly Mutant[]): Promise<Outcome[]> {
  const imports = await importsIn(root, tested);
  const benches = await Promise.all(
    Array.from({ length: parallel }, (_, index) => openBench(join(folder, `copy-${index}`))),
  );
  const free = [...benches];
  try {
    return await pMap(
      mutants,
      async (mutant) => {
        const bench = free.pop();
        if (bench === undefined) throw new Error('there are as many copies as mutations at a time');
        const failed = await killers(bench, mutant, imports);
        free.push(bench);
        progress(
          failed.length === 0
            ? `  SURVIVED    ${lineAbout(mutant)}`
            : `  killed      ${lineAbout(mutant)}: ${failed[0]?.name}`,
        );
        return { mutant, failed };
      },
      { concurrency: parallel },
    );
  } finally {
    for (const bench of benches) bench.close();
  }
}

/** Tests that fail with a mutation, of the nearest file that has such. */
function killers(bench: Bench, mutant: Mutant, imports: Imports): Promise<Failed[]> {
  const { file, source } = mutant;
  return bench.withSource(file, mutated(source, mutant), () => bench.failing(testsOf(file, imports), patience));
}

/** Tests that fail without any mutation too, and so have killed nothing. */
async function unsound({ folder }: ProofContext, outcomes: readonly Outcome[]): Promise<string[]> {
  const all = outcomes.flatMap(({ failed }) => failed).filter(({ endless }) => endless !== true);
  const bench = await openBench(join(folder, 'sound'));
  try {
    const failed = await bench.failing([...new Set(all.map(({ file }) => file))], patience);
    return failed.map(({ file, name }) => `fails without any mutation: ${file}: ${name}`);
  } finally {
    bench.close();
  }
}

const lineOf = ({ source, line }: Mutant): string => (source.split('\n')[line - 1] ?? '').trim();
const isThat = (one: Equivalent, mutant: Mutant): boolean =>
  one.file === mutant.file && one.kind === mutant.kind && one.line === lineOf(mutant);
const lineAbout = (mutant: Mutant): string =>
  `${mutant.file}:${mutant.line}  ${mutant.kind}: ${`${mutant.from} → ${mutant.to}`.replace(/\s+/g, ' ').slice(0, 120)}`;
