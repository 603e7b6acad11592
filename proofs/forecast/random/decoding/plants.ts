import { certManagerVersion } from '../../../../shared/certificates/version.js';
import type { Judge, Judgement } from '../contest.js';
import type { DecodingQuestion } from './case.js';
import { ours } from './judge.js';

/** Faults that are planted in our side. Each must be found, or equality says nothing. */
export const plants: Readonly<Record<string, Judge<DecodingQuestion>>> = {
  'rules of another version': (question, own) =>
    ours(question, certManagerVersion(own.atLeast(1, 19) ? 'v1.16.2' : 'v1.21.2')),
  'an e-mail address is none': (question, own) => without(ours(question, own), 'email'),
  'a time has no seconds': (question, own) => changed(ours(question, own), /:\d\d\.000Z"/g, ':00.000Z"'),
  'a subject has no blanks at its ends': (question, own) => changed(ours(question, own), /=\s+|\s+(?=")/g, ''),
  'a curve is its size': (question, own) => changed(ours(question, own), /ECDSA (\d+) [^"]*/g, 'ECDSA $1'),
  'who is a CA does not count': (question, own) => without(ours(question, own), 'isCa'),
  'a usage is none': (question, own) => without(ours(question, own), 'usages'),
  'what follows the first certificate does not count': (question, own) =>
    withContents(ours(question, own), (contents) => contents.slice(0, 1)),
};

function changed(found: Judgement, from: RegExp, to: string): Judgement {
  return { ...found, more: found.more.replace(from, to) };
}

function without(found: Judgement, field: string): Judgement {
  return withContents(found, (contents) => contents.map(({ [field]: _, ...others }) => others));
}

type Contents = readonly Readonly<Record<string, unknown>>[];

function withContents(found: Judgement, change: (contents: Contents) => Contents): Judgement {
  if (found.verdict !== 'read') return found;
  return { ...found, more: JSON.stringify(change(JSON.parse(found.more) as Contents)) };
}
