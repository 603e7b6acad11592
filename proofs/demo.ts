import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ActionRun } from '../lab/driver/action.js';
import { commandLine } from '../lab/driver/command-line.js';
import { type LabState, startLab, stopLab } from '../lab/driver/lab.js';
import { difference } from '../lab/driver/meter.js';
import { runbookBackup, runbookRestore, untilQuiet } from '../lab/platform/runbook.js';
import { McprtError } from '../shared/errors.js';
import { type Leaf, leaves } from './leaves.js';
import { appNamespaces, makeRig, type Rig } from './rig.js';

const { values } = commandLine('npm run demo -- [--json]', {
  options: { json: { type: 'boolean', default: false } },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Step {
  step: string;
  seconds: number;
}

/** Runs the whole story once and returns its figures. */
async function tell(rig: Rig, steps: Step[]): Promise<Record<string, unknown>> {
  const timed = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    steps.push({ step, seconds });
    say(`  ${step}: ${seconds} s`);
    return result;
  };
  const everything = [...appNamespaces, 'cert-manager'];

  say('A real cluster with real cert-manager and a real ACME server; the platform is a stand-in.');
  await timed('install the platform, certificates from the ACME server', rig.install);
  const before = await leaves(rig.cluster);
  await timed('back up (action-backup)', async () => passed(await rig.act('backup')));
  await timed('wipe, cert-manager and its account key included', () => rig.wipe(everything));
  const counted = await rig.meter();
  const run = await timed('restore (action-backup)', async () => passed(await rig.act('restore')));
  await timed('install the platform again', rig.install);
  const after = await leaves(rig.cluster);
  const { orders, issued, accounts } = difference(counted, await rig.meter());

  say('For contrast, the runbook’s order: set up first, restore after.');
  const old = await runbookBackup(rig.cluster);
  await rig.wipe(everything);
  const then = await rig.meter();
  await timed('runbook: install, restore after it', async () => {
    await rig.install();
    await runbookRestore(rig.cluster, old);
    await untilQuiet(async () => (await rig.meter()).orders.length);
  });
  const contrast = difference(then, await rig.meter());

  const serialsEqual = before.length > 0 && JSON.stringify(before) === JSON.stringify(after);
  const acme = before.filter((leaf) => leaf.acme).length;
  return {
    ok: orders === 0 && issued === 0 && serialsEqual && acme >= 3 && contrast.orders > 0,
    orders,
    issued,
    accounts,
    serialsEqual,
    acmeCertificates: acme,
    before,
    after,
    restored: run.outputs.name,
    contrast: { order: 'setup first, restore after', ...contrast },
  };
}

function passed(run: ActionRun): ActionRun {
  if (run.code !== 0) throw new Error(`the action failed:\n${run.log}`);
  return run;
}

function table(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function print(figures: Record<string, unknown>, steps: Step[]): void {
  const [before, after] = [figures.before, figures.after] as [Leaf[], Leaf[]];
  const rows = before.map((leaf) => {
    const same = after.find((one) => one.certificate === leaf.certificate);
    return [
      leaf.certificate,
      leaf.acme ? 'ACME' : 'own CA',
      leaf.serial,
      same?.serial ?? '–',
      same?.serial === leaf.serial ? 'same' : 'ANOTHER',
    ];
  });
  const contrast = figures.contrast as { orders: number; issued: number; accounts: number };
  process.stdout.write(
    [
      '',
      table([['CERTIFICATE', 'ISSUER', 'SERIAL BEFORE', 'SERIAL AFTER', ''], ...rows]),
      '',
      table([
        ['', 'ORDERS', 'ISSUED', 'NEW ACCOUNTS'],
        ['wipe → restore → setup   (mcprt)', String(figures.orders), String(figures.issued), String(figures.accounts)],
        [
          'wipe → setup → restore   (runbook)',
          String(contrast.orders),
          String(contrast.issued),
          String(contrast.accounts),
        ],
      ]),
      '',
      table([['STEP', 'SECONDS'], ...steps.map(({ step, seconds }) => [step, String(seconds)])]),
      '',
      figures.ok ? 'Nothing was ordered that was already there.' : 'THE DEMO FAILED: see the figures above.',
      '',
    ].join('\n'),
  );
}

const folder = await mkdtemp(join(tmpdir(), 'mcprt-demo-'));
const labs: LabState[] = [];
const steps: Step[] = [];
const down = async (): Promise<void> => {
  await Promise.all(labs.splice(0).map(stopLab));
  await rm(folder, { recursive: true, force: true });
};
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void down().finally(() => process.exit(1)));
try {
  const started = performance.now();
  const lab = async (): Promise<LabState> => {
    const state = await startLab({ name: `demo-${process.pid}`, env: process.env, progress: say });
    labs.push(state);
    return state;
  };
  const rig = await makeRig({ lab, folder, small: false, flags: {}, env: process.env, progress: say });
  steps.push({ step: 'bring the lab up', seconds: Math.round((performance.now() - started) / 100) / 10 });
  const figures = await tell(rig, steps);
  await rig.close();
  if (values.json) process.stdout.write(`${JSON.stringify({ name: 'demo', ...figures, steps })}\n`);
  else print(figures, steps);
  process.exitCode = figures.ok ? 0 : 1;
} catch (error) {
  say(
    error instanceof McprtError
      ? `${error.message}\n  why: ${error.why}\n  next: ${error.next}`
      : String(error instanceof Error ? error.stack : error),
  );
  process.exitCode = 1;
} finally {
  await down();
}
