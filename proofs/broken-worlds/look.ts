import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import type { ActionRun } from '../../lab/driver/action.js';
import { found } from '../../lab/driver/until.js';
import { diagnose } from '../../shared/checks/diagnose.js';
import type { Finding } from '../../shared/checks/finding.js';
import { connectWithKubeconfig } from '../../shared/cluster/connect.js';
import { observePlatform, type PlatformFacts, type PlatformOptions } from '../../shared/facts/observe-platform.js';
import { rulesOf } from '../../shared/permissions/operations.js';
import { parseOverrides } from '../../shared/platform/overrides.js';
import { hostsOf } from '../../shared/profile/values.js';
import { direct } from '../../shared/proxy.js';
import { secondsSince } from '../support/figures.js';
import type { BrokenCase } from './case.js';
import type { Site } from './site.js';

/** Between two looks, in ms. */
const every = 150;

/** Looks at a site as `operation: check` does, and gives its findings in order. */
export async function look(site: Site): Promise<Finding[]> {
  return diagnose(await observeSite(site));
}

async function observeSite(site: Site): Promise<PlatformFacts> {
  const options = await optionsOf(site);
  const { kubeconfig } = site.glance();
  if (kubeconfig === undefined) return observePlatform(site.cluster, options);
  const { cluster } = await connectWithKubeconfig(kubeconfig);
  try {
    return await observePlatform(cluster, options);
  } finally {
    await cluster.close();
  }
}

/** What a case looked like in the end, and how it came to be seen. */
export interface Seen {
  facts: PlatformFacts | undefined;
  findings: Finding[];
  seconds: number;
  looks: number;
  /** What is not as the case says; empty when all is. */
  lacking: string;
}

/** Looks again until two looks on end show what the case must show, or the time is up. */
export async function untilShown(site: Site, broken: BrokenCase, seconds: number): Promise<Seen> {
  const started = performance.now();
  let seen: Seen = { facts: undefined, findings: [], seconds: 0, looks: 0, lacking: '' };
  let good = 0;
  const isShown = async (): Promise<boolean> => {
    const facts = await observeSite(site);
    const findings = diagnose(facts);
    const lacking = lackingIn(broken, findings);
    good = lacking === '' ? good + 1 : 0;
    seen = { facts, findings, lacking, looks: seen.looks + 1, seconds: secondsSince(started) };
    return good === 2;
  };
  await found(isShown, { seconds, every });
  return seen;
}

/** Looks again until nothing is wrong any more. Gives what was seen last, and what is still wrong when the time is up. */
export async function untilHealthy(site: Site, seconds: number): Promise<{ facts?: PlatformFacts; wrong: Finding[] }> {
  let last: { facts?: PlatformFacts; wrong: Finding[] } = { wrong: [] };
  const isHealthy = async (): Promise<boolean> => {
    const facts = await observeSite(site);
    last = { facts, wrong: diagnose(facts).filter(({ severity }) => severity !== 'notice') };
    return last.wrong.length === 0;
  };
  await found(isHealthy, { seconds, every });
  return last;
}

/** The same look through the shipped bundle. */
export async function lookThroughBundle(site: Site): Promise<ActionRun> {
  const glance = site.glance();
  return site.setup({
    operation: glance.forSetup ? 'install' : 'check',
    profile: await profileFile(site),
    resolve: resolveLines(site).join('\n'),
    'dns-server': dnsOf(site),
    'ca-bundle': glance.caBundle ?? site.root,
    ...(glance.kubeconfig === undefined ? {} : { kubeconfig: glance.kubeconfig }),
  });
}

/** What is not as a case says, in words. */
function lackingIn(broken: BrokenCase, findings: readonly Finding[]): string {
  const [first] = findings;
  if (first === undefined) return 'nothing was found';
  const evidence = first.evidence.join('\n');
  return [
    first.code === broken.code ? '' : `the first finding is ${first.code}`,
    first.severity === (broken.severity ?? 'error') ? '' : `its severity is ${first.severity}`,
    broken.evidence.test(evidence) ? '' : `its evidence is: ${evidence}`,
    first.remedy.trim() !== '' && (broken.remedy?.test(first.remedy) ?? true) ? '' : `its remedy is: ${first.remedy}`,
    ...(broken.follows ?? []).map((code) => (findings.some((one) => one.code === code) ? '' : `no finding ${code}`)),
  ]
    .filter((line) => line !== '')
    .join('; ');
}

async function optionsOf(site: Site): Promise<PlatformOptions> {
  const glance = site.glance();
  const values = new Map(
    Object.entries(parseEnv((await readFile(await profileFile(site), 'utf8')).replaceAll('export ', ''))).map(
      ([name, value = '']) => [name, value] as const,
    ),
  );
  const { registry = '', mcp = '', platform = '' } = hostsOf(values);
  return {
    hosts: { registry, mcp, platform },
    names: true,
    imagePlatform: values.get('MCP_IMAGE_PLATFORM'),
    overrides: parseOverrides(resolveLines(site).join('\n')),
    dnsServer: dnsOf(site),
    caBundle: glance.caBundle ?? site.root,
    proxies: direct,
    rules: rulesOf(glance.forSetup ? 'install' : 'check'),
    backup: glance.backup,
    installer: glance.installer,
    mask: () => undefined,
  };
}

/** The site's own profile, or one with a case's variables behind it, which then count. */
async function profileFile({ folder, profile: usual, glance }: Site): Promise<string> {
  const { profile } = glance();
  if (profile === undefined) return usual;
  const own = join(folder, 'case.env');
  const lines = Object.entries(profile).map(([name, value]) => `export ${name}=${value}\n`);
  await writeFile(own, (await readFile(usual, 'utf8')) + lines.join(''));
  return own;
}

function resolveLines({ front, glance }: Site): string[] {
  const { resolve = [], unresolved = [] } = glance();
  const keyOf = (line: string): string => line.split('=')[0] ?? '';
  const own = new Set(resolve.map(keyOf));
  return [
    ...resolve,
    ...front.resolve.filter((line) => !own.has(keyOf(line)) && !unresolved.includes(keyOf(line).replace(/:\d+$/, ''))),
  ];
}

function dnsOf({ state, glance }: Site): string {
  return (glance().dns ?? true) ? state.challenges.dns : '';
}
