import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import { root } from '../../lab/driver/folders.js';
import { messageOf } from '../../shared/errors.js';
import type { Proof } from '../support/proof.js';
import { type Bench, openBench } from './bench.js';
import { type Guard, guards } from './list.js';

/** Processes at a time, each with a copy of the build of its own. */
const parallel = 2;
/** ms that one test file may take, as a guard that is off may leave a test waiting. */
const patience = 60_000;

export const guardsProof: Proof = {
  name: 'guards',
  claim: 'each guard of the list, switched off in turn, makes a named unit test fail',
  async run(context) {
    const { only } = context.flags;
    const chosen = guards.filter(({ name }) => typeof only !== 'string' || name.includes(only));
    const tests = [...new Set(chosen.map(({ test }) => `${test}.ts`))];
    const benches = await Promise.all(
      Array.from({ length: parallel }, (_, index) => openBench(join(context.folder, `copy-${index}`))),
    );
    const [first] = benches;
    if (first === undefined) throw new Error('there is a copy');
    const sound = await first.failing(tests, patience);
    for (const { name } of sound) context.fail(`with every guard on, a test fails: ${name}`);
    const free = [...benches];
    let missed = 0;
    await pMap(
      chosen,
      async (guard) => {
        const bench = free.pop() ?? first;
        try {
          const failed = await switchedOff(bench, guard);
          context.progress(`  ${guard.name}: ${failed[0] ?? 'NO TEST FAILS'}`);
          const isMissed = failed.length > 0;
          if (context.expect(isMissed, `${guard.name} (${guard.file}): no test of ${guard.test} misses it`))
            missed += 1;
        } catch (error) {
          context.fail(`${guard.name}: ${messageOf(error)}`);
        } finally {
          free.push(bench);
        }
      },
      { concurrency: parallel },
    );
    for (const bench of benches) bench.close();
    return { guards: chosen.length, missed };
  },
};

/** Names of the tests that miss a guard when it is off. */
async function switchedOff(bench: Bench, { file, off: [on, instead], test }: Guard): Promise<string[]> {
  const source = await readFile(join(root, file), 'utf8');
  if (source.split(on).length !== 2) throw new Error(`${file} does not have this once: ${on}`);
  const failed = await bench.withSource(file, source.replace(on, instead), () =>
    bench.failing([`${test}.ts`], patience),
  );
  return failed.map(({ name }) => name);
}
