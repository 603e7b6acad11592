import { describe, expect, it } from '@jest/globals';
import { type Copy, keptWords, sharedFate } from './safety.js';

const copy = (store: Copy['store'], fate: string): Pick<Copy, 'store' | 'fate'> => ({ store, fate });
const now = new Date('2026-03-01T00:00:00Z');

describe('copies share one fate', () => {
  it.each<[string, Pick<Copy, 'store' | 'fate'>[], RegExp | undefined]>([
    [
      'cache and artifact of one repository',
      [copy('cache', 'R'), copy('artifact', 'R')],
      /^all copies \(cache and artifact\) go together: with R$/,
    ],
    ['one alone', [copy('artifact', 'R')], /^the only copy is in artifact: it goes with R$/],
    ['a third one elsewhere', [copy('cache', 'R'), copy('artifact', 'R'), copy('directory', 'D')], undefined],
    ['the one elsewhere comes first', [copy('directory', 'D'), copy('cache', 'R')], undefined],
    ['none at all', [], undefined],
  ])('%s', (_, copies, said) => {
    if (said === undefined) expect(sharedFate(copies)).toBeUndefined();
    else expect(sharedFate(copies)).toMatch(said);
  });
});

describe('how long a copy is kept', () => {
  it.each<[string, Copy['hold'], string]>([
    ['nobody says', undefined, 'its place does not say'],
    ['no date', { until: undefined, words: 'as long as W' }, 'as long as W'],
    ['a date', { until: new Date('2026-03-08T00:00:00Z'), words: 'W' }, 'until 2026-03-08 (7 days): W'],
    ['tomorrow', { until: new Date('2026-03-02T00:00:00Z'), words: 'W' }, 'until 2026-03-02 (1 day): W'],
    ['a date that is past', { until: new Date('2026-02-01T00:00:00Z'), words: 'W' }, 'until 2026-02-01 (0 days): W'],
  ])('%s', (_, hold, said) => {
    expect(keptWords({ hold }, now)).toBe(said);
  });
});
