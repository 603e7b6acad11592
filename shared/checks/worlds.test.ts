import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { diagnose, preflight } from './diagnose.js';
import {
  differencesOf,
  factsOf,
  findingLine,
  type RecordedFacts,
  type RecordedWorld,
  recordedWorlds,
  recordFacts,
} from './testing/worlds.js';

// Written by `npm run prove -- broken-worlds --record`, from sites that were broken for real.
const { healthy, worlds } = JSON.parse(readFileSync(join(process.cwd(), recordedWorlds), 'utf8')) as {
  healthy: RecordedFacts;
  worlds: RecordedWorld[];
};

describe('recorded worlds', () => {
  it('has what the proof breaks', () => {
    expect(worlds.length).toBeGreaterThan(80);
  });

  it('finds nothing wrong with the healthy one', () => {
    expect(diagnose(factsOf(healthy)).filter(({ severity }) => severity !== 'notice')).toEqual([]);
  });

  it.each(worlds.map((world) => [world.name, world] as const))('%s', (_name, { differences, findings }) => {
    const facts = factsOf(healthy, differences);
    expect(diagnose(facts).map(findingLine)).toEqual(findings);
    // Before setup the same is found, or less: nothing is found there that a look does not find.
    const subjects = new Set(diagnose(facts).map(({ code, subject }) => `${code}: ${subject}`));
    for (const { code, subject } of preflight(facts)) expect(subjects).toContain(`${code}: ${subject}`);
  });

  it('is a healthy world again once a difference is recorded backwards', () => {
    for (const { differences } of worlds.filter((_world, index) => index % 20 === 0)) {
      const broken = recordFacts(factsOf(healthy, differences));
      const mended = recordFacts(factsOf(broken, differencesOf(broken, recordFacts(factsOf(healthy)))));
      expect(diagnose(factsOf(mended)).map(findingLine)).toEqual(diagnose(factsOf(healthy)).map(findingLine));
    }
  });
});
