import { seedOf } from '../../random.js';
import { versionOf, versions } from '../../support/cert-manager-versions.js';
import type { Figures, ProofContext } from '../../support/proof.js';
import { type Comparison, compareVersion } from './compare.js';
import { writeTable } from './table.js';

const [casesInSmall, casesInFull] = [2000, 100_000];

/** Holds the forecast against cert-manager's own policies over random cases, one version after the other. */
export async function compareRandom(context: ProofContext): Promise<Figures> {
  const { flags, env, small, progress } = context;
  const seed = flags.seed === undefined ? seedOf(env) : Number(flags.seed) >>> 0;
  const cases = flags.cases === undefined ? (small ? casesInSmall : casesInFull) : Number(flags.cases);
  progress(`  seed ${seed}`);
  const comparisons: Comparison[] = [];
  for (const version of wantedVersions(flags['cert-manager'], small)) {
    const compared = await compareVersion(context, { version, cases, seed });
    progress(`  ${JSON.stringify(compared)}`);
    comparisons.push(compared);
  }
  if (flags['write-table'] === true) await writeTable(comparisons);
  return { seed, versions: comparisons };
}

/** In small only the newest: to compile one takes the better part of a minute. */
function wantedVersions(given: string | boolean | undefined, small: boolean): readonly string[] {
  if (typeof given !== 'string') return small ? versions.slice(-1) : versions;
  return given.split(',').map(versionOf);
}
