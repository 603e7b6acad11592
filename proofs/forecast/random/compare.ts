import type { Answerer } from '../../../lab/driver/answerer.js';
import { startOracle } from '../../../lab/driver/oracle.js';
import { type CertManagerVersion, certManagerVersion } from '../../../shared/certificates/version.js';
import { seeded } from '../../random.js';
import { secondsSince } from '../../support/figures.js';
import type { Findings } from '../../support/findings.js';
import type { ProofContext } from '../../support/proof.js';
import type { Contest, Judge } from './contest.js';
import { minimised } from './minimise.js';
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

/** Holds something of ours against one version of cert-manager. */
export type Comparing = (
  context: ProofContext,
  options: { readonly version: string; readonly cases: number; readonly seed: number },
) => Promise<Comparison>;

interface Compared<Question> extends Sides {
  readonly question: Question;
}

/** The two sides that are asked. */
interface Asked<Question extends object, Answer> {
  readonly contest: Contest<Question, Answer>;
  readonly oracle: Answerer<Answer>;
  readonly rules: CertManagerVersion;
}

/** Holds both sides of a contest against each other over random cases. */
export function comparing<Question extends object, Answer>(contest: Contest<Question, Answer>): Comparing {
  return async (context, options) => {
    const findings = context.about(`${contest.of} ${options.version}`);
    const started = performance.now();
    const rules = certManagerVersion(options.version);
    const next = contest.cases(seeded(options.seed), rules);
    const counter = new Counter(contest.difference);
    const planted = contest.plants(rules);
    const hidden = new Map(planted);
    const oracle = await startOracle<Answer>(options.version, contest.program, context);
    const asked = { contest, oracle, rules };
    try {
      for (let seen = 0; seen < options.cases; seen += batch) {
        const questions = Array.from({ length: Math.min(batch, options.cases - seen) }, next);
        const compared = await judged(questions, asked);
        for (const one of compared) {
          const differing = counter.add(one);
          if (differing === undefined || differing.times > mostCases || counter.kinds.length > mostKinds) continue;
          findings.fail(await told(one.question, differing.kind, asked));
        }
        if (seen < patience) findPlants(hidden, compared, asked);
      }
    } finally {
      oracle.stop();
    }
    for (const [kind, times] of counter.kinds) context.progress(`  ${times} × ${kind}`);
    conclude(findings, counter, { verdicts: contest.verdicts, hidden: [...hidden.keys()] });
    return {
      version: options.version,
      ...counter.tally,
      plantsFound: `${planted.length - hidden.size} of ${planted.length}`,
      seconds: secondsSince(started),
    };
  };
}

/** Both sides at once: cert-manager's is another process. */
async function judged<Question extends object, Answer>(
  questions: readonly Question[],
  { contest, oracle, rules }: Asked<Question, Answer>,
): Promise<Compared<Question>[]> {
  const asked = oracle.ask(questions.map(contest.asked));
  const own = questions.map((question) => contest.ours(question, rules));
  const answers = await asked;
  return questions.flatMap((question, index) => {
    const [mine, answer] = [own[index], answers[index]];
    if (mine === undefined || answer === undefined) return [];
    return [{ question, own: mine, real: contest.theirs(answer, question) }];
  });
}

/** Takes out the planted faults that a case gives away: one that is judged alike without them. */
function findPlants<Question extends object, Answer>(
  hidden: Map<string, Judge<Question>>,
  compared: readonly Compared<Question>[],
  { contest: { difference }, rules }: Asked<Question, Answer>,
): void {
  for (const [name, judge] of [...hidden]) {
    const finds = ({ question, own, real }: Compared<Question>): boolean =>
      difference(own, real) === undefined && difference(judge(question, rules), real) !== undefined;
    if (compared.some(finds)) hidden.delete(name);
  }
}

function conclude(
  findings: Findings,
  counter: Counter,
  { verdicts, hidden }: { readonly verdicts: readonly string[]; readonly hidden: readonly string[] },
): void {
  const { cases, disagreements } = counter.tally;
  findings.expect(disagreements === 0, `${disagreements} of ${cases} cases are judged otherwise`);
  // Fewer say nothing of what follows.
  if (cases < patience) return;
  for (const name of hidden) findings.fail(`a planted fault was not found in ${patience} cases: ${name}`);
  for (const verdict of verdicts) {
    const decided = counter.decidedBy(verdict);
    findings.expect((decided * 100) / cases >= fewest, `only ${decided} of ${cases} cases come to: ${verdict}`);
  }
}

/** A case in full, made as small as it can be: what both sides say, and what to repeat it with. */
async function told<Question extends object, Answer>(
  question: Question,
  kind: string,
  asked: Asked<Question, Answer>,
): Promise<string> {
  const { contest } = asked;
  const both = async (one: Question): Promise<Sides> => {
    const [found] = await judged([one], asked);
    if (found === undefined) throw new Error('a case was asked and not answered');
    return found;
  };
  const isSame = async (one: Question): Promise<boolean> => kindOf(await both(one), contest.difference) === kind;
  const small = await minimised(question, contest.needed, isSame);
  const { own, real } = await both(small);
  const lines = [
    ['ours        ', own],
    ['cert-manager', real],
    ['case        ', contest.readable(small)],
  ] as const;
  return lines.map(([name, value]) => `\n    ${name} ${JSON.stringify(value)}`).join('');
}
