import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { root } from '../lab/driver/folders.js';
import { type Bench, openBench, patternsOf } from './guards/bench.js';
import { type Guard, guards } from './guards/list.js';
import type { Proof, Proven } from './proof.js';

/** Processes at a time, each with a copy of the build of its own. */
const parallel = 2;
/** ms that one test file may take, as a guard that is off may leave a test waiting. */
const patience = 60_000;

export const guardsProof: Proof = {
  name: 'guards',
  claim: 'each guard of the list, switched off in turn, makes a named unit test fail',
  async run(context) {
    const problems: string[] = [];
    const tests = [...new Set(guards.map(({ test }) => test))];
    const benches = await Promise.all(
      Array.from({ length: parallel }, (_, index) => openBench(join(context.folder, `copy-${index}`))),
    );
    const [first] = benches;
    if (first === undefined) throw new Error('there is a copy');
    const sound = await first.failing(patternsOf(tests), patience * tests.length);
    if (sound === undefined) problems.push('no test of the list was found');
    problems.push(...(sound ?? []).map(({ name }) => `with every guard on, a test fails: ${name}`));
    const free = [...benches];
    const seen = await pMap(
      guards,
      async (guard) => {
        const bench = free.pop() ?? first;
        try {
          const failed = await switchedOff(bench, guard);
          context.progress(`  ${guard.name}: ${failed[0] ?? 'NO TEST FAILS'}`);
          if (failed.length === 0) problems.push(`${guard.name} (${guard.file}): no test of ${guard.test} misses it`);
          return { guard: guard.name, failed: failed.length, first: failed[0] ?? '' };
        } catch (error) {
          problems.push(`${guard.name}: ${error instanceof Error ? error.message : String(error)}`);
          return { guard: guard.name, failed: 0, first: '' };
        } finally {
          free.push(bench);
        }
      },
      { concurrency: parallel },
    );
    return {
      ok: problems.length === 0,
      figures: { guards: guards.length, missed: seen.filter(({ failed }) => failed > 0).length },
      problems,
    } satisfies Proven;
  },
};

/** Names of the tests that miss a guard when it is off. */
async function switchedOff(bench: Bench, { file, off: [on, instead], test }: Guard): Promise<string[]> {
  const source = await readFile(join(root, file), 'utf8');
  if (source.split(on).length !== 2) throw new Error(`${file} does not have this once: ${on}`);
  const failed = await bench.withSource(file, source.replace(on, instead), () =>
    bench.failing(patternsOf([test]), patience),
  );
  if (failed === undefined) throw new Error(`no test was found: ${test}`);
  return failed.map(({ name }) => name);
}
