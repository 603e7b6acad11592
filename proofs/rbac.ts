import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import pMap from 'p-map';
import type { Proof } from './proof.js';
import { excusedOf, readAudit, refusedOf, unusedOf } from './rbac/audit.js';
import { removeEach } from './rbac/removal.js';
import { runNarrowed, suiteOf } from './rbac/suite.js';

export const rbac: Proof = {
  name: 'rbac',
  claim:
    'with the generated RBAC only the lab’s suite passes, and uses all of it; with each verb taken away in turn, it is named before anything is changed',
  async run(context) {
    const logs = join(context.folder, 'audit');
    await mkdir(logs);
    const problems: string[] = [];
    const suite: Record<string, string> = {};
    const wanted = await suiteOf(context);
    const run = async (name: string): Promise<void> => {
      const { ok, seconds, output } = await runNarrowed(name, logs, context);
      suite[name] = `${ok ? 'ok' : 'FAILED'} ${seconds} s`;
      if (!ok) problems.push(`with generated RBAC only, ${name} fails:\n${output.slice(-3000)}`);
      context.progress(`  ${name} with generated RBAC only: ${suite[name]}`);
    };
    // Two at a time, as they mostly wait; what measures time has nothing beside it.
    await pMap(
      wanted.filter((name) => name !== 'speed'),
      run,
      { concurrency: 2 },
    );
    for (const name of wanted.filter((one) => one === 'speed')) await run(name);
    const { removed, asked: askedFirst, problems: kept } = await removeEach(context);
    const narrowed = await readAudit(logs);
    if (wanted.length > 0 && narrowed.length === 0)
      problems.push('the suite sent no request of an operation’s account: nothing was narrowed');
    const asked = [...narrowed, ...askedFirst];
    problems.push(...kept, ...refusedOf(asked).map((line) => `asked for, and not granted: ${line}`));
    const [unused, excused] = [unusedOf(asked), excusedOf(asked)];
    const isWhole = !context.small && context.flags.only === undefined;
    if (isWhole) problems.push(...unused.map((line) => `granted and never used: ${line}`));
    return {
      ok: problems.length === 0,
      figures: {
        suite,
        requests: asked.length,
        denied: asked.filter(({ isDenied }) => isDenied).length,
        verbsTakenAway: removed,
        [isWhole ? 'unused' : 'unusedByThisPart']: unused.length,
        neededWithoutBeingSeen: excused.length,
      },
      problems,
    };
  },
};
