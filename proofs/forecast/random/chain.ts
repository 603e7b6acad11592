import { policies } from '../../../lab/driver/oracle.js';
import { caseMaker, type Question } from './case.js';
import type { Contest } from './contest.js';
import { difference, ours, type PolicyAnswer, theirs } from './judge.js';
import { makeKeys } from './keys.js';
import { plantsFor } from './plants.js';

/** The forecast against the chain of trigger policies. */
export const chain: Contest<Question, PolicyAnswer> = {
  name: 'chain',
  of: 'cert-manager',
  program: policies,
  cases: (random, version) => caseMaker(random, makeKeys(random), version),
  ours,
  asked: (question) => question,
  theirs,
  difference,
  plants: plantsFor,
  verdicts: ['1', '2', '3', '4', '5', '6', '7', '8', '9', 'keep'],
  needed:
    /^(?:now|renewalInfo|certificate|certificate\/(?:metadata|spec).?|certificate\/spec\/(?:secretName|issuerRef)|secret\/(?:metadata|data)|(?:current|next)\/(?:metadata|spec|spec\/request|spec\/issuerRef))$/,
  readable,
};

const longest = 2000;

/** PEM as it is, so that a case can be read. */
function readable(question: Question): unknown {
  const text = (value: string): string => Buffer.from(value, 'base64').toString('latin1').slice(0, longest);
  return JSON.parse(JSON.stringify(question), (key, value: unknown) =>
    typeof value === 'string' && ['tls.key', 'tls.crt', 'request'].includes(key) ? text(value) : value,
  ) as unknown;
}
