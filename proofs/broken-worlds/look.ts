import { type PlatformOptions, observePlatform } from '../../shared/facts/observe-platform.js';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseEnv } from 'node:util';
import type { ActionRun } from '../../lab/driver/action.js';
import { diagnose } from '../../shared/checks/diagnose.js';
import type { Finding } from '../../shared/checks/finding.js';
import { connectWithKubeconfig } from '../../shared/cluster/connect.js';
import { rulesOf } from '../../shared/permissions/operations.js';
import { parseOverrides } from '../../shared/platform/reach.js';
import { hostsOf } from '../../shared/profile/values.js';
import type { Stage } from '../stage.js';
import type { BrokenWorld, Glance } from './world.js';

const pause = 150;

/** Looks at a stage as `operation: check` does, and gives its findings in order. */
export async function look(stage: Stage, folder: string, glance: Glance = {}): Promise<Finding[]> {
  const options = await optionsOf(stage, folder, glance);
  if (glance.kubeconfig === undefined) return diagnose(await observePlatform(stage.rig.cluster, options));
  const { cluster } = await connectWithKubeconfig(glance.kubeconfig);
  try {
    return diagnose(await observePlatform(cluster, options));
  } finally {
    await cluster.close();
  }
}

/** What a world looked like in the end, and how it came to be seen. */
export interface Seen {
  findings: Finding[];
  seconds: number;
  looks: number;
  /** What is not as the world says; empty when all is. */
  lacking: string;
}

/** Looks again until two looks on end show what the world must show, or the time is up. */
export async function untilShown(
  stage: Stage,
  folder: string,
  { world, glance, deadline }: { world: BrokenWorld; glance: Glance; deadline: number },
): Promise<Seen> {
  const started = performance.now();
  for (let looks = 1, good = 0; ; looks++) {
    const findings = await look(stage, folder, glance);
    const lacking = lackingIn(world, findings);
    good = lacking === '' ? good + 1 : 0;
    const seconds = (performance.now() - started) / 1000;
    if (good === 2 || seconds * 1000 > deadline) return { findings, seconds, looks, lacking };
    await sleep(pause);
  }
}

/** Looks again until nothing is wrong any more. Gives what still is when the time is up. */
export async function untilHealthy(stage: Stage, folder: string, deadline: number): Promise<Finding[]> {
  for (const end = Date.now() + deadline; ; ) {
    const wrong = (await look(stage, folder)).filter(({ severity }) => severity !== 'notice');
    if (wrong.length === 0 || Date.now() > end) return wrong;
    await sleep(pause);
  }
}

/** The same look through the shipped bundle. */
export async function lookThroughBundle(
  stage: Stage,
  folder: string,
  glance: Glance = {},
  inputs: Record<string, string> = {},
): Promise<ActionRun> {
  return stage.setup({
    operation: 'check',
    profile: await profileFile(folder, glance),
    resolve: resolveLines(stage, glance).join('\n'),
    'dns-server': dnsOf(stage, glance),
    'ca-bundle': glance.caBundle ?? stage.root,
    ...(glance.kubeconfig === undefined ? {} : { kubeconfig: glance.kubeconfig }),
    ...inputs,
  });
}

/** What is not as a world says, in words. */
export function lackingIn(world: BrokenWorld, findings: readonly Finding[]): string {
  const [first] = findings;
  if (first === undefined) return 'nothing was found';
  const evidence = first.evidence.join('\n');
  return [
    first.code === world.code ? '' : `the first finding is ${first.code}`,
    first.severity === (world.severity ?? 'error') ? '' : `its severity is ${first.severity}`,
    world.evidence.test(evidence) ? '' : `its evidence is: ${evidence}`,
    first.remedy.trim() !== '' && (world.remedy?.test(first.remedy) ?? true) ? '' : `its remedy is: ${first.remedy}`,
    ...(world.follows ?? []).map((code) => (findings.some((one) => one.code === code) ? '' : `no finding ${code}`)),
  ]
    .filter((line) => line !== '')
    .join('; ');
}

async function optionsOf(stage: Stage, folder: string, glance: Glance): Promise<PlatformOptions> {
  const values = new Map(
    Object.entries(parseEnv((await readFile(await profileFile(folder, glance), 'utf8')).replaceAll('export ', ''))).map(
      ([name, value = '']) => [name, value] as const,
    ),
  );
  const { registry = '', mcp = '', platform = '' } = hostsOf(values);
  return {
    hosts: { registry, mcp, platform },
    names: true,
    imagePlatform: values.get('MCP_IMAGE_PLATFORM'),
    overrides: parseOverrides(resolveLines(stage, glance).join('\n')),
    dnsServer: dnsOf(stage, glance),
    caBundle: glance.caBundle ?? stage.root,
    rules: rulesOf(glance.forSetup ? 'install' : 'check'),
    backup: glance.backup,
    installer: glance.installer,
    mask: () => undefined,
  };
}

/** The stage's own profile, or one with a world's variables behind it, which then count. */
async function profileFile(folder: string, { profile }: Glance): Promise<string> {
  const usual = join(folder, 'profile.env');
  if (profile === undefined) return usual;
  const own = join(folder, 'world.env');
  const lines = Object.entries(profile).map(([name, value]) => `export ${name}=${value}\n`);
  await writeFile(own, (await readFile(usual, 'utf8')) + lines.join(''));
  return own;
}

function resolveLines(stage: Stage, { resolve = [], unresolved = [] }: Glance): string[] {
  const keyOf = (line: string): string => line.split('=')[0] ?? '';
  const own = new Set(resolve.map(keyOf));
  return [
    ...resolve,
    ...stage.front.resolve.filter(
      (line) => !own.has(keyOf(line)) && !unresolved.includes(keyOf(line).replace(/:\d+$/, '')),
    ),
  ];
}

function dnsOf(stage: Stage, { dns = true }: Glance): string {
  return dns ? stage.rig.state.challenges.dns : '';
}
