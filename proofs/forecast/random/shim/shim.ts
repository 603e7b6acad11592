import { shim as program } from '../../../../lab/driver/oracle.js';
import { type Contest, foundSince } from '../contest.js';
import { ingressMaker, type ShimQuestion } from './case.js';
import { asked, difference, ours, type ShimAnswer, theirs } from './judge.js';
import { plants } from './plants.js';

/** Our ingress-shim against the real one. */
export const shim: Contest<ShimQuestion, ShimAnswer> = {
  name: 'shim',
  of: 'ingress-shim of',
  program,
  cases: ingressMaker,
  ours,
  asked,
  theirs,
  difference,
  plants: foundSince(plants, { 'no listener is ignored': [1, 21] }),
  verdicts: ['asks', 'refuses', 'nothing'],
  needed: /^(?:ingress|settings|ingress\/(?:metadata|spec|metadata\/name))$/,
  readable: (question) => question,
};
