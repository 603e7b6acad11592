import { newestCertManager } from '../../../shared/certificates/version.js';
import { seedOf } from '../../random.js';
import type { Figures, ProofContext } from '../../support/proof.js';
import { type Comparison, compareVersion } from './compare.js';
import { writeTable } from './table.js';

const newest = newestCertManager.slice(1);

/**
 * The versions that are compared: the runbook's, the last patch of each minor that is to be had, and those on both sides of
 * what upstream changed within a minor.
 */
const versions: readonly string[] = [
  ...['1.16.2', '1.16.5', '1.17.4', '1.18.2', '1.18.6', '1.19.0', '1.19.5', '1.20.3'],
  newest,
];

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

/** Minors stand for their last patch. In small only the newest: to compile one takes the better part of a minute. */
function wantedVersions(given: string | boolean | undefined, small: boolean): readonly string[] {
  if (typeof given !== 'string') return small ? [newest] : versions;
  return given.split(',').map((one) => {
    const text = one.replace(/^v/, '');
    return /^\d+\.\d+$/.test(text) ? (versions.findLast((version) => version.startsWith(`${text}.`)) ?? text) : text;
  });
}
