import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { root } from '../../lab/driver/folders.js';
import { type Bench, type Failed, openBench, patternsOf } from '../guards/bench.js';
import { type Random, seeded, seedOf } from '../random.js';
import type { Figures, Proof, ProofContext } from '../support/proof.js';
import { type Equivalent, equivalents } from './equivalent.js';
import { type Mutation, mutated, mutationsOf } from './mutate.js';

/** What the promise stands on. */
const folders = ['shared/backup', 'shared/certificates', 'shared/cluster', 'shared/wipe'];
/** Share that must be killed. It only rises: nine of ten is what it is to be. */
const floor = 0.7;
/** How many of a handful may survive, whose share says little. */
const chance = 3;
const parallel = 2;
/** ms for the tests of one mutation, and for a single test: a mutation may leave it waiting. */
const [patience, testPatience] = [300_000, 20_000];
/** What is no test of the code, but of the repository, the lab and the proofs. */
const ignored = ['/build/scripts/', '/build/proofs/', '/build/lab/'];

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
  claim: 'of random small faults in backup, certificates, cluster and wipe, seven of ten make a unit test fail',
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
  const endless = outcomes.filter(({ failed }) => failed.length > 0 && failed.every(({ file }) => file === ''));
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
  const free = await Promise.all(
    Array.from({ length: parallel }, (_, index) => openBench(join(folder, `copy-${index}`))),
  );
  return pMap(
    mutants,
    async (mutant) => {
      const bench = free.pop();
      if (bench === undefined) throw new Error('there are as many copies as mutations at a time');
      try {
        const failed = await killers(bench, mutant);
        progress(
          failed.length === 0
            ? `  SURVIVED    ${lineAbout(mutant)}`
            : `  killed      ${lineAbout(mutant)}: ${failed[0]?.name}`,
        );
        return { mutant, failed };
      } finally {
        free.push(bench);
      }
    },
    { concurrency: parallel },
  );
}

/** Tests that fail with a mutation: those of the file itself, or else any that are related to it. */
function killers(bench: Bench, mutant: Mutant): Promise<Failed[]> {
  const { file, source } = mutant;
  const own = file.replace(/\.ts$/, '.test');
  const common = ['--bail', `--testTimeout=${testPatience}`];
  const related = ['--findRelatedTests', `build/${file.replace(/\.ts$/, '.js')}`];
  const elsewhere = ignored.flatMap((pattern) => ['--testPathIgnorePatterns', pattern]);
  return bench.withSource(file, mutated(source, mutant), async () => {
    const hasOwn = existsSync(join(root, 'build', `${own}.js`));
    const first = hasOwn ? await bench.failing([...common, ...patternsOf([own])], patience) : undefined;
    if (first !== undefined && first.length > 0) return first;
    return (await bench.failing([...common, ...elsewhere, ...related], patience)) ?? [];
  });
}

/** Tests that fail without any mutation too, and so have killed nothing. */
async function unsound({ folder }: ProofContext, outcomes: readonly Outcome[]): Promise<string[]> {
  const all = outcomes.flatMap(({ failed }) => failed).filter(({ file }) => file !== '');
  if (all.length === 0) return [];
  const bench = await openBench(join(folder, 'sound'));
  const tests = [...new Set(all.map(({ file }) => file.replace(/^build\/|\.js$/g, '')))];
  const failed = await bench.failing(patternsOf(tests), patience);
  return (failed ?? []).map(({ file, name }) => `fails without any mutation: ${file}: ${name}`);
}

const lineOf = ({ source, line }: Mutant): string => (source.split('\n')[line - 1] ?? '').trim();
const isThat = (one: Equivalent, mutant: Mutant): boolean =>
  one.file === mutant.file && one.kind === mutant.kind && one.line === lineOf(mutant);
const lineAbout = (mutant: Mutant): string =>
  `${mutant.file}:${mutant.line}  ${mutant.kind}: ${`${mutant.from} → ${mutant.to}`.replace(/\s+/g, ' ').slice(0, 120)}`;
