import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commandLine } from '../lab/driver/command-line.js';
import { root } from '../lab/driver/folders.js';
import { type LabState, startLab, stopLab } from '../lab/driver/lab.js';
import { difference } from '../lab/driver/meter.js';
import { runbookBackup, runbookRestore, untilQuiet } from '../lab/platform/runbook.js';
import { McprtError } from '../shared/errors.js';
import { secondsSince } from './support/figures.js';
import { makeFindings } from './support/findings.js';
import { onInterrupt } from './support/interrupts.js';
import { type Leaf, leaves } from './support/leaves.js';
import { mustWork } from './support/runs.js';
import { appNamespaces } from './world/installation.js';
import { inWorld, type World } from './world/world.js';

const usage = `npm run demo -- [--json] [--record]

  --record   its figures go into docs/pictures/figures.json, from which \`npm run docs\` draws the README's picture`;
const { values } = commandLine(usage, {
  options: { json: { type: 'boolean', default: false }, record: { type: 'boolean', default: false } },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

interface Step {
  step: string;
  seconds: number;
}

/** Runs the whole story once and returns its figures. */
async function tell(world: World, steps: Step[]): Promise<Record<string, unknown>> {
  const timed = async <T>(step: string, work: () => Promise<T>): Promise<T> => {
    const started = performance.now();
    const result = await work();
    const seconds = secondsSince(started);
    steps.push({ step, seconds });
    say(`  ${step}: ${seconds} s`);
    return result;
  };
  const everything = [...appNamespaces, 'cert-manager'];

  say('A real cluster with real cert-manager and a real ACME server; the platform is a stand-in.');
  await timed('install the platform, certificates from the ACME server', world.install);
  const before = await leaves(world.cluster);
  await timed('back up (action-backup)', async () => mustWork('the backup', await world.backup('backup')));
  await timed('wipe, cert-manager and its account key included', () => world.wipe(everything));
  const counted = await world.meter();
  const run = await timed('restore (action-backup)', async () =>
    mustWork('the restore', await world.backup('restore')),
  );
  await timed('install the platform again', world.install);
  const after = await leaves(world.cluster);
  const { orders, issued, accounts } = difference(counted, await world.meter());

  say('For contrast, the runbook’s order: set up first, restore after.');
  const old = await runbookBackup(world.cluster);
  await world.wipe(everything);
  const then = await world.meter();
  await timed('runbook: install, restore after it', async () => {
    await world.install();
    await runbookRestore(world.cluster, old);
    await untilQuiet(async () => (await world.meter()).orders.length);
  });
  const contrast = difference(then, await world.meter());

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

/** What the README's picture shows. */
async function record(figures: Record<string, unknown>): Promise<void> {
  const contrast = figures.contrast as { orders: number };
  const shown = {
    measured: new Date().toISOString().slice(0, 10),
    acmeCertificates: figures.acmeCertificates,
    orders: { mcprt: figures.orders, runbook: contrast.orders },
  };
  await writeFile(join(root, 'docs', 'pictures', 'figures.json'), `${JSON.stringify(shown, null, 2)}\n`);
}

const folder = await mkdtemp(join(tmpdir(), 'mcprt-demo-'));
const labs: LabState[] = [];
const steps: Step[] = [];
const down = async (): Promise<void> => {
  await Promise.all(labs.splice(0).map(stopLab));
  await rm(folder, { recursive: true, force: true });
};
onInterrupt(down);
try {
  const started = performance.now();
  const lab = async (): Promise<LabState> => {
    const state = await startLab({ name: `demo-${process.pid}`, env: process.env, progress: say });
    labs.push(state);
    return state;
  };
  const context = { ...makeFindings(), lab, folder, small: false, flags: {}, env: process.env, progress: say };
  const figures = await inWorld(context, [], (world) => {
    steps.push({ step: 'bring the lab up', seconds: secondsSince(started) });
    return tell(world, steps);
  });
  if (values.record && figures.ok) await record(figures);
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
