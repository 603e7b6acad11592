import { makeCertificateAuthority } from '../../lab/platform/certificate-authority.js';
import { recordsAt, textAt } from '../../shared/cluster/fields.js';
import { round1 } from '../support/figures.js';
import { chosenOf, type Proof, type ProofContext } from '../support/proof.js';
import { resultOf } from '../support/runs.js';
import { platformInUse } from '../world/parts.js';
import { inWorld } from '../world/world.js';
import { type Failure, failures, type Kept, type World } from './cases.js';

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
  run: (context) =>
    inWorld(context, platformInUse, async (world) => {
      const first = await world.smokeTest({ suite: 'tenant, multitenancy', keep: 'true' });
      context.expectDone('a healthy platform', first);
      const kept = { ca: await makeCertificateAuthority(), run: first.outputs['run-id'] ?? '' };
      const shown: Shown[] = [];
      for (const failure of chosenOf(context, failures)) {
        const last = await show(context, world, kept, failure);
        shown.push(last);
        context.progress(`  ${failure.name}: ${last.code} at ${last.check || 'the inputs'}, ${last.seconds} s`);
      }
      context.expectDone('mended', await world.smokeTest({ suite: 'health, tenant' }));
      return { platforms: shown.length, codes: new Set(shown.map(({ code }) => code)).size, shown };
    }),
};

async function show(context: ProofContext, world: World, kept: Kept, failure: Failure): Promise<Shown> {
  const run = await failure.run(world, kept);
  const failed = recordsAt(resultOf(run), 'checks').filter(({ status }) => status === 'failed');
  const seen = failed.map((check) => `${textAt(check, 'failure', 'code')} at ${textAt(check, 'name')}`);
  const code = textAt(failed[0], 'failure', 'code') || (run.error ?? '');
  const due = `${failure.code} at ${failure.check}`;
  // A certificate that is wrong for one name may be the same one for another: the check must be among those that failed.
  const isRight = failed.length === 0 ? run.error === failure.code && failure.check === '' : seen.includes(due);
  const others = seen.filter((one) => !one.startsWith(failure.code) && !/cleanup$/.test(one));
  const isAlone = run.code === 1 && isRight && others.length === 0;
  const is = `exit code ${run.code}, ${seen.join('; ') || run.error}`;
  context.expect(isAlone, `${failure.name}: ${is} instead of ${due}`, run);
  return { failure: failure.name, code, check: textAt(failed[0], 'name'), seconds: round1(run.seconds) };
}
