import { recordsAt, textAt } from '../shared/cluster/fields.js';
import { withoutMasks } from './leaks.js';
import type { Proof } from './proof.js';
import { type Failure, failures, makeScene, type Scene } from './smoke/failures.js';
import { makeSmokeWorld, type SmokeWorld } from './smoke/world.js';

interface Shown {
  failure: string;
  code: string;
  check: string;
  seconds: number;
}

export const smokeFailures: Proof = {
  name: 'smoke-failures',
  claim:
    'broken platforms, each made so on the lab: each fails with its own code at the very check that is broken, none hangs, none passes',
  async run(context) {
    const problems: string[] = [];
    const shown: Shown[] = [];
    const world = await makeSmokeWorld(context, 'split');
    const only = typeof context.flags.only === 'string' ? context.flags.only : undefined;
    try {
      const kept = await world.test({ suite: 'tenant, multitenancy', keep: 'true' });
      if (kept.code !== 0) problems.push(`a healthy platform failed\n${withoutMasks(kept.log).slice(-4000)}`);
      const scene = await makeScene(kept.outputs['run-id'] ?? '');
      const wanted = failures.filter(
        ({ name, quick }) => (only === undefined || name.includes(only)) && (!context.small || quick || only),
      );
      for (const failure of wanted) {
        shown.push(await show(world, scene, failure, problems));
        const last = shown.at(-1);
        context.progress(
          `  ${failure.name}: ${last?.code} at ${last?.check || 'the inputs'}, ${last?.seconds.toFixed(1)} s`,
        );
      }
      const after = await world.test({ suite: 'health, tenant' });
      if (after.code !== 0) problems.push(`mended, it does not pass\n${withoutMasks(after.log).slice(-4000)}`);
    } finally {
      await world.close();
    }
    return {
      ok: problems.length === 0,
      figures: { platforms: shown.length, codes: new Set(shown.map(({ code }) => code)).size, shown },
      problems,
    };
  },
};

async function show(world: SmokeWorld, scene: Scene, failure: Failure, problems: string[]): Promise<Shown> {
  const run = await failure.run(world, scene);
  const failed = recordsAt(JSON.parse(run.outputs.result ?? '{}'), 'checks').filter(
    ({ status }) => status === 'failed',
  );
  const seen = failed.map((check) => `${textAt(check, 'failure', 'code')} at ${textAt(check, 'name')}`);
  const code = textAt(failed[0], 'failure', 'code') || (run.error ?? '');
  const check = textAt(failed[0], 'name');
  // A certificate that is wrong for one name may be the same one for another: the check must be among those that failed.
  const isRight =
    failed.length === 0
      ? run.error === failure.code && failure.check === ''
      : seen.includes(`${failure.code} at ${failure.check}`);
  const others = seen.filter((one) => !one.startsWith(failure.code) && !/cleanup$/.test(one));
  if (run.code !== 1 || !isRight || others.length > 0) {
    problems.push(
      `${failure.name}: exit code ${run.code}, ${seen.join('; ') || run.error} instead of ${failure.code} at ${failure.check}\n${withoutMasks(run.log).slice(-3500)}`,
    );
  }
  return { failure: failure.name, code, check, seconds: Math.round(run.seconds * 10) / 10 };
}
