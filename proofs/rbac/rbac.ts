import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Proof } from '../support/proof.js';
import { excusedOf, readAudit, refusedOf, unusedOf } from './audit.js';
import { removeEach } from './removal.js';
import { runNarrowed, suiteOf } from './suite.js';

/** @param others every other proof, of which the suite is made */
export const rbacOf = (others: readonly Proof[]): Proof => ({
  name: 'rbac',
  claim:
    'with the generated RBAC only the lab’s suite passes, and uses all of it; with each verb taken away in turn, it is named before anything is changed',
  async run(context) {
    const logs = join(context.folder, 'audit');
    await mkdir(logs);
    const suite: Record<string, string> = {};
    const wanted = suiteOf(context, others);
    const run = async (name: string): Promise<void> => {
      const { ok, seconds, output } = await runNarrowed(name, logs, context);
      suite[name] = `${ok ? 'ok' : 'FAILED'} ${seconds} s`;
      context.expect(ok, `with generated RBAC only, ${name} fails:\n${output.slice(-3000)}`);
      context.progress(`  ${name} with generated RBAC only: ${suite[name]}`);
    };
    // Two at a time, as they mostly wait; what measures time has nothing beside it.
    await pMap(
      wanted.filter((name) => name !== 'speed'),
      run,
      { concurrency: 2 },
    );
    for (const name of wanted.filter((one) => one === 'speed')) await run(name);
    const { removed, asked: askedFirst } = await removeEach(context);
    const narrowed = await readAudit(logs);
    const isNarrowed = wanted.length === 0 || narrowed.length > 0;
    context.expect(isNarrowed, 'the suite sent no request of an operation’s account: nothing was narrowed');
    const asked = [...narrowed, ...askedFirst];
    for (const line of refusedOf(asked)) context.fail(`asked for, and not granted: ${line}`);
    const [unused, excused] = [unusedOf(asked), excusedOf(asked)];
    const isWhole = !context.small && context.flags.only === undefined;
    for (const line of isWhole ? unused : []) context.fail(`granted and never used: ${line}`);
    return {
      suite,
      requests: asked.length,
      denied: asked.filter(({ isDenied }) => isDenied).length,
      verbsTakenAway: removed,
      [isWhole ? 'unused' : 'unusedByThisPart']: unused.length,
      neededWithoutBeingSeen: excused.length,
    };
  },
});
