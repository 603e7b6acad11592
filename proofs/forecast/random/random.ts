import { seedOf } from '../../random.js';
import { versionOf, versions } from '../../support/cert-manager-versions.js';
import { type Figures, isWanted, type ProofContext } from '../../support/proof.js';
import { chain } from './chain.js';
import { type Comparison, comparing } from './compare.js';
import { decoding } from './decoding/decoding.js';
import { shim } from './shim/shim.js';
import { writeTable } from './table.js';

const [casesInSmall, casesInFull] = [2000, 100_000];

/** What is held against cert-manager. */
const against = [
  { ...chain, compare: comparing(chain) },
  { ...shim, compare: comparing(shim) },
  { ...decoding, compare: comparing(decoding) },
];

/** Holds what we restate of cert-manager against the real thing over random cases, one version after the other. */
export async function compareRandom(context: ProofContext): Promise<Figures> {
  const { flags, env, small, progress } = context;
  const seed = flags.seed === undefined ? seedOf(env) : Number(flags.seed) >>> 0;
  const cases = flags.cases === undefined ? (small ? casesInSmall : casesInFull) : Number(flags.cases);
  progress(`  seed ${seed}`);
  const figures: Record<string, readonly Comparison[]> = {};
  for (const { name, of, compare } of against) {
    if (!isWanted(context, name)) continue;
    const comparisons: Comparison[] = [];
    for (const version of wantedVersions(flags['cert-manager'], small)) {
      const compared = await compare(context, { version, cases, seed });
      progress(`  ${name} ${JSON.stringify(compared)}`);
      comparisons.push(compared);
    }
    if (flags['write-table'] === true) await writeTable(of, comparisons);
    figures[name] = comparisons;
  }
  return { seed, ...figures };
}

/** In small only the newest: to compile one takes the better part of a minute. */
function wantedVersions(given: string | boolean | undefined, small: boolean): readonly string[] {
  if (typeof given !== 'string') return small ? versions.slice(-1) : versions;
  return given.split(',').map(versionOf);
}
