import { type PolicyChain, startPolicies } from '../../../lab/driver/policies.js';
import { seeded } from '../../random.js';
import { secondsSince } from '../../support/figures.js';
import type { ProofContext } from '../../support/proof.js';
import { caseMaker, type Question } from './case.js';
import { difference, type Judge, type Judgement, ours, theirs, version } from './judge.js';
import { makeKeys } from './keys.js';
import { minimised } from './minimise.js';
import { plantsFor } from './plants.js';

/** How one version of cert-manager was held against the forecast. */
export interface Comparison {
  readonly version: string;
  readonly cases: number;
  readonly disagreements: number;
  /** cert-manager itself died of so many. */
  readonly crashes: number;
  /** By what cert-manager decided: the check and its reason. */
  readonly decided: Readonly<Record<string, number>>;
  /** Of the messages, the words of decoders included. */
  readonly messagesEqual: string;
  readonly plantsFound: string;
  readonly seconds: number;
}

const batch = 500;
/** Within so many cases a planted fault must be found. */
const patience = 2000;
const mostTold = 8;
/** In percent: less of the cases decided by a check says little about it. */
const fewest = 2;
const checks = ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'keep'];

interface Compared {
  readonly question: Question;
  readonly own: Judgement;
  readonly real: Judgement;
}

/** Holds the forecast against the policies of one version, over random cases. */
export async function compareVersion(
  context: ProofContext,
  options: { readonly version: string; readonly cases: number; readonly seed: number },
): Promise<Comparison> {
  const { progress } = context;
  const findings = context.about(`cert-manager ${options.version}`);
  const started = performance.now();
  const rules = version(options.version);
  const chain = await startPolicies(options.version, context);
  const decided = new Map<string, number>();
  const waiting = new Map(plantsFor(rules));
  const planted = waiting.size;
  const kinds = new Map<string, number>();
  let [seen, different, crashes, messages, equal] = [0, 0, 0, 0, 0];
  try {
    const next = caseMaker(seeded(options.seed), makeKeys(), rules);
    while (seen < options.cases) {
      const questions = Array.from({ length: Math.min(batch, options.cases - seen) }, next);
      const asked = chain.ask(questions);
      const judged = questions.map((question) => ours(question, rules));
      const answers = await asked;
      const compared = questions.map(
        (question, index): Compared => ({
          question,
          own: judged[index] ?? ours(question, rules),
          real: theirs(answers[index] ?? { violated: false }, question),
        }),
      );
      for (const { question, own: mine, real } of compared) {
        const key = [real.verdict, real.reason].filter(Boolean).join(' ');
        decided.set(key, (decided.get(key) ?? 0) + 1);
        if (real.verdict === 'crash') crashes += 1;
        if (real.message !== '' && real.verdict !== 'crash') messages += 1;
        if (real.message !== '' && real.verdict !== 'crash' && mine.message === real.message) equal += 1;
        const kind = kindOf(mine, real);
        if (kind === undefined) continue;
        different += 1;
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
        if ((kinds.get(kind) ?? 0) > 2 || kinds.size > mostTold) continue;
        const small = await minimised(question, (one) => stillDiffers(one, { chain, rules, kind }));
        findings.fail(await told(small, chain, rules));
      }
      if (seen < patience) findPlants(waiting, compared, rules);
      seen += questions.length;
    }
  } finally {
    chain.stop();
  }
  for (const [kind, count] of kinds) progress(`  ${count} × ${kind}`);
  findings.expect(different === 0, `${different} of ${seen} cases are judged otherwise`);
  for (const name of waiting.keys())
    findings.fail(`a planted fault was not found in ${Math.min(seen, patience)} cases: ${name}`);
  for (const check of checks) {
    const count = [...decided].reduce((sum, [key, value]) => sum + (key.split(' ')[0] === check ? value : 0), 0);
    findings.expect((count * 100) / seen >= fewest, `only ${count} of ${seen} cases are decided by: ${check}`);
  }
  return {
    version: options.version,
    cases: seen,
    disagreements: different,
    crashes,
    decided: Object.fromEntries([...decided].sort(([first], [second]) => first.localeCompare(second))),
    messagesEqual: `${equal} of ${messages}`,
    plantsFound: `${planted - waiting.size} of ${planted}`,
    seconds: secondsSince(started),
  };
}

function findPlants(
  waiting: Map<string, Judge>,
  compared: readonly Compared[],
  rules: ReturnType<typeof version>,
): void {
  for (const [name, judge] of [...waiting]) {
    if (compared.some(({ question, real }) => difference(judge(question, rules), real) !== undefined))
      waiting.delete(name);
  }
}

/** What differs, from what to what: cases of one kind mostly have one cause. */
function kindOf(mine: Judgement, real: Judgement): string | undefined {
  const what = difference(mine, real);
  return (
    what &&
    `${what}: ${mine.verdict} ${mine.reason} ${what === 'next request' ? mine.next : ''} / ${real.verdict} ${real.reason}`
  );
}

interface Sides {
  readonly chain: PolicyChain;
  readonly rules: ReturnType<typeof version>;
  readonly kind: string;
}

async function stillDiffers(question: Question, { chain, rules, kind }: Sides): Promise<boolean> {
  const [answer] = await chain.ask([question]);
  return kindOf(ours(question, rules), theirs(answer ?? { violated: false }, question)) === kind;
}

/** A case in full: what both sides say, and what to repeat it with. */
async function told(question: Question, chain: PolicyChain, rules: ReturnType<typeof version>): Promise<string> {
  const [answer] = await chain.ask([question]);
  const lines = [
    ['forecast    ', ours(question, rules)],
    ['cert-manager', theirs(answer ?? { violated: false }, question)],
    ['case        ', readable(question)],
  ] as const;
  return lines.map(([name, value]) => `\n    ${name} ${JSON.stringify(value)}`).join('');
}

/** PEM as it is, so that a case can be read. */
function readable(question: Question): unknown {
  const text = (value: string): string => Buffer.from(value, 'base64').toString('latin1').slice(0, 2000);
  return JSON.parse(JSON.stringify(question), (key, value: unknown) =>
    typeof value === 'string' && ['tls.key', 'tls.crt', 'request'].includes(key) ? text(value) : value,
  ) as unknown;
}
