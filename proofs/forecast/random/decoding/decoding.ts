import { policies } from '../../../../lab/driver/oracle.js';
import type { Contest } from '../contest.js';
import { type DecodingQuestion, textMaker } from './case.js';
import { type DecodingAnswer, difference, ours, theirs } from './judge.js';
import { plants } from './plants.js';

/** Our decoders of certificates, requests and keys against the real ones. */
export const decoding: Contest<DecodingQuestion, DecodingAnswer> = {
  name: 'decoding',
  of: 'decoders of',
  program: policies,
  cases: textMaker,
  ours,
  asked: (question) => ({ decode: question }),
  theirs,
  difference,
  plants: () => Object.entries(plants),
  verdicts: ['read', 'refused'],
  needed: /./,
  readable: ({ kind, text }) => ({ kind, text: Buffer.from(text, 'base64').toString('latin1') }),
};
