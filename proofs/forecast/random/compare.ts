import { type PolicyChain, startPolicies } from '../../../lab/driver/policies.js';
import type { CertManagerVersion } from '../../../shared/certificates/version.js';
import { seeded } from '../../random.js';
import { secondsSince } from '../../support/figures.js';
import type { Findings } from '../../support/findings.js';
import type { ProofContext } from '../../support/proof.js';
import { caseMaker, type Question } from './case.js';
import { difference, type Judge, ours, theirs, version } from './judge.js';
import { makeKeys } from './keys.js';
import { minimised } from './minimise.js';
import { plantsFor } from './plants.js';
import { Counter, kindOf, type Sides, type Tally } from './tally.js';

/** How one version of cert-manager was held against the forecast. */
export interface Comparison extends Tally {
  readonly version: string;
  readonly plantsFound: string;
  readonly seconds: number;
}

const batch = 500;
/** Within so many cases a planted fault must be found. */
const patience = 2000;
/** Kinds of disagreement that are told, and cases of each. */
const [mostKinds, mostCases] = [8, 2];
/** In percent: less of the cases decided by a check says little about it. */
const fewest = 2;
const checks = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'keep'];

interface Compared extends Sides {
  readonly question: Question;
}

/** Holds the forecast against the policies of one version, over random cases. */
export async function compareVersion(
  context: ProofContext,
  options: { readonly version: string; readonly cases: number; readonly seed: number },
): Promise<Comparison> {
  const findings = context.about(`cert-manager ${options.version}`);
  const started = performance.now();
  const rules = version(options.version);
  const random = seeded(options.seed);
  const next = caseMaker(random, makeKeys(random), rules);
  const counter = new Counter();
  const planted = plantsFor(rules);
  const hidden = new Map(planted);
  const chain = await startPolicies(options.version, context);
  try {
    for (let seen = 0; seen < options.cases; seen += batch) {
      const questions = Array.from({ length: Math.min(batch, options.cases - seen) }, next);
      const compared = await judged(questions, chain, rules);
      for (const one of compared) {
        const differing = counter.add(one);
        if (differing === undefined || differing.times > mostCases || counter.kinds.length > mostKinds) continue;
        findings.fail(await told(one.question, { chain, rules, kind: differing.kind }));
      }
      if (seen < patience) findPlants(hidden, compared, rules);
    }
  } finally {
    chain.stop();
  }
  for (const [kind, times] of counter.kinds) context.progress(`  ${times} × ${kind}`);
  conclude(findings, counter, hidden);
  return {
    version: options.version,
    ...counter.tally,
    plantsFound: `${planted.length - hidden.size} of ${planted.length}`,
    seconds: secondsSince(started),
  };
}

/** Both sides at once: cert-manager's is another process. */
async function judged(
  questions: readonly Question[],
  chain: PolicyChain,
  rules: CertManagerVersion,
): Promise<Compared[]> {
  const asked = chain.ask(questions);
  const own = questions.map((question) => ours(question, rules));
  const answers = await asked;
  return questions.flatMap((question, index) => {
    const [mine, answer] = [own[index], answers[index]];
    return mine === undefined || answer === undefined ? [] : [{ question, own: mine, real: theirs(answer, question) }];
  });
}

/** Takes out the planted faults that a case gives away: one that is judged alike without them. */
function findPlants(hidden: Map<string, Judge>, compared: readonly Compared[], rules: CertManagerVersion): void {
  for (const [name, judge] of [...hidden]) {
    const finds = ({ question, own, real }: Compared): boolean =>
      difference(own, real) === undefined && difference(judge(question, rules), real) !== undefined;
    if (compared.some(finds)) hidden.delete(name);
  }
}

function conclude(findings: Findings, counter: Counter, hidden: ReadonlyMap<string, Judge>): void {
  const { cases, disagreements } = counter.tally;
  findings.expect(disagreements === 0, `${disagreements} of ${cases} cases are judged otherwise`);
  // Fewer say nothing of what follows.
  if (cases < patience) return;
  for (const name of hidden.keys()) findings.fail(`a planted fault was not found in ${patience} cases: ${name}`);
  for (const check of checks) {
    const decided = counter.decidedBy(check);
    findings.expect((decided * 100) / cases >= fewest, `only ${decided} of ${cases} cases are decided by: ${check}`);
  }
}

interface Asked {
  readonly chain: PolicyChain;
  readonly rules: CertManagerVersion;
  readonly kind: string;
}

/** A case in full, made as small as it can be: what both sides say, and what to repeat it with. */
async function told(question: Question, { chain, rules, kind }: Asked): Promise<string> {
  const both = async (one: Question): Promise<Sides> => {
    const [found] = await judged([one], chain, rules);
    if (found === undefined) throw new Error('a case was asked and not answered');
    return found;
  };
  const small = await minimised(question, async (one) => kindOf(await both(one)) === kind);
  const { own, real } = await both(small);
  const lines = [
    ['forecast    ', own],
    ['cert-manager', real],
    ['case        ', readable(small)],
  ] as const;
  return lines.map(([name, value]) => `\n    ${name} ${JSON.stringify(value)}`).join('');
}

const longest = 2000;

/** PEM as it is, so that a case can be read. */
function readable(question: Question): unknown {
  const text = (value: string): string => Buffer.from(value, 'base64').toString('latin1').slice(0, longest);
  return JSON.parse(JSON.stringify(question), (key, value: unknown) =>
    typeof value === 'string' && ['tls.key', 'tls.crt', 'request'].includes(key) ? text(value) : value,
  ) as unknown;
}
