import type { CertManagerVersion } from '../../../../shared/certificates/version.js';
import type { Random } from '../../../random.js';
import { caseMaker, type Question } from '../case.js';
import { type Dice, diceOf } from '../dice.js';
import { makeKeys } from '../keys.js';
import { spoiledInside, spoiledPem } from '../spoil.js';

/** One case: a text, in base64, and as what it is to be read. */
export interface DecodingQuestion {
  readonly kind: 'certificates' | 'request' | 'key';
  readonly text: string;
}

/**
 * Makes texts to be decoded: the Secrets and requests that the chain judges, mostly with something changed in them. The chain tells
 * little of what a decoder read in what it accepts.
 */
export function textMaker(random: Random, version: CertManagerVersion): () => DecodingQuestion {
  const dice = diceOf(random);
  const next = caseMaker(random, makeKeys(random), version);
  return () => {
    for (;;) {
      const kind = dice.weighted([
        [5, 'certificates'],
        [4, 'request'],
        [2, 'key'],
      ] as const);
      const text = textOf(kind, next());
      if (text !== undefined) return { kind, text: changed(dice, text) };
    }
  };
}

function textOf(kind: DecodingQuestion['kind'], { secret, current, next }: Question): string | undefined {
  if (kind === 'request') return (current ?? next)?.spec.request;
  return secret?.data?.[kind === 'key' ? 'tls.key' : 'tls.crt'];
}

function changed(dice: Dice, text: string): string {
  const before = Buffer.from(text, 'base64').toString();
  const change = dice.weighted<() => string>([
    [2, () => before],
    [7, () => spoiledInside(dice, before)],
    [1, () => spoiledPem(dice, before)],
  ]);
  return Buffer.from(change()).toString('base64');
}
