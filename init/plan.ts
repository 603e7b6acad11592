import { isDeepStrictEqual } from 'node:util';
import { parse, parseDocument } from 'yaml';
import * as z from 'zod';
import { McprtError, messageOf } from '../shared/errors.js';
import { DEFAULT_PATH } from '../shared/profile/profile.js';
import { callsIn, deploymentOf, type Environment, environmentsOf, usualPrefix } from './environments.js';
import type { Facts } from './repository-facts.js';
import type { Source } from './source.js';
import { type Uses, withUses } from './uses.js';

/** What this release of mcprt has to offer, by file name. */
export interface Templates {
  /** examples/ */
  examples: ReadonlyMap<string, string>;
  /** .github/workflows/ */
  called: ReadonlyMap<string, string>;
}

export interface PlannedFile {
  /** Name in .github/workflows. */
  name: string;
  text: string;
  /** `same` says the same, in whatever layout; `kept`: another file of that name is there, and is left alone. */
  state: 'new' | 'same' | 'kept';
}

export interface InitPlan {
  files: PlannedFile[];
  environments: Environment[];
  /** Secrets of which mcprt makes the keys. */
  needsKeys: boolean;
  /** Whether deployments are made by the platform's installer. */
  installs: boolean;
}

/** What whoever runs init wishes. */
export interface Wishes {
  /** Whether the platform's installer makes the deployments, as on a cluster without it. */
  install?: boolean;
  /** The mcprt that is called; as in the examples when left out. */
  uses?: Uses | undefined;
  /** Of workflows and environments, where a repository has several platforms. */
  prefix?: string;
  /** Where the platform's source is, when it is not in the repository. */
  source?: Source | undefined;
  /** Where backups are kept, as `cache,artifact,oci`; empty for where they usually are. */
  stores?: string;
  /** Labels of runners, as the input `runs-on` takes them; empty for GitHub's own. */
  runsOn?: string;
}

/** Workflows for whoever has a deployment profile, which all of them take. */
export const ofProfile = ['backup.yml', 'deploy.yml', 'drill.yml', 'reinstall.yml', 'restore.yml'];
/** Without the platform's source a job can neither install nor roll out, but it can look after backups. */
const ofSource = ['deploy.yml', 'reinstall.yml'];
const ofServer = ['preview-build.yml', 'preview.yml'];

/**
 * Which workflows a repository gets, and what its environments need: pure.
 * @throws McprtError `init-workflow` when a workflow that is there already cannot be read
 */
export function planInit(
  facts: Facts,
  { examples, called }: Templates,
  { install = false, uses, prefix = usualPrefix, source, stores = '', runsOn = '' }: Wishes = {},
): InitPlan {
  const hasSource = facts.hasPlatform || source !== undefined;
  // Whoever has said once where the source is need not say it again.
  const canRun = (example: string): boolean =>
    hasSource || !ofSource.includes(example) || facts.present.has(`${prefix}-${example}`);
  const wanted = [
    ...(facts.profile === undefined ? [] : ofProfile.filter(canRun)),
    ...(facts.hasServer ? ofServer : []),
  ];
  const files = wanted.flatMap((example): PlannedFile[] => {
    const text = examples.get(example);
    if (text === undefined) return [];
    const name = `${prefix}-${example}`;
    const called = uses === undefined ? text : withUses(text, uses);
    const there = facts.present.get(name);
    const wishes = { install, prefix, source, stores, runsOn, said: there === undefined ? {} : saidIn(there) };
    const own = renamed(adapted(called, facts, wishes), prefix);
    return [{ name, text: own, state: there === undefined ? 'new' : isSame(there, own) ? 'same' : 'kept' }];
  });
  const calls = files.flatMap(({ name, text, state }) =>
    state === 'kept' ? callsOfKept(name, facts.present.get(name) ?? '', uses) : callsIn(text, uses?.repository),
  );
  const environments = environmentsOf(
    calls.map(({ file, profile: _, ...call }) => ({ text: called.get(file) ?? '', ...call })),
  );
  const needsKeys = environments.some(({ secrets }) =>
    secrets.some((name) => /^MCPRT_(?:BACKUP|RESTORE)_KEY$/.test(name)),
  );
  return { files, environments, needsKeys, installs: calls.some(({ installs }) => installs) };
}

function callsOfKept(name: string, text: string, uses: Uses | undefined): ReturnType<typeof callsIn> {
  try {
    return callsIn(text, uses?.repository);
  } catch (cause) {
    throw new McprtError('init-workflow', {
      what: `.github/workflows/${name} cannot be read`,
      why: messageOf(cause).split('\n')[0] ?? '',
      next: 'fix it, or remove it: then it is written again',
      cause,
    });
  }
}

/** Two workflows that say the same. */
function isSame(there: string, own: string): boolean {
  if (there === own) return true;
  try {
    return isDeepStrictEqual(parse(there), parse(own));
  } catch {
    return false;
  }
}

/** Inputs that say which platform a workflow is of: whoever asks for another one wants another workflow. */
const identifying = ['profile', 'environment-prefix'];

/** What the workflow that is there says, by a run before or by hand: nobody need say it again, and it is no other workflow for that. */
function saidIn(there: string): Record<string, string> {
  try {
    const { jobs } = workflowShape.parse(parse(there));
    const given = Object.values(jobs).flatMap((job) => Object.entries(job.with ?? {}));
    return Object.fromEntries(
      given.flatMap(([name, value]) =>
        !identifying.includes(name) && typeof value === 'string' ? [[name, value]] : [],
      ),
    );
  } catch {
    return {};
  }
}

const workflowShape = z.looseObject({
  jobs: z.record(
    z.string(),
    z.looseObject({ uses: z.string().optional(), with: z.record(z.string(), z.unknown()).optional() }),
  ),
});

type AllWishes = Required<Pick<Wishes, 'install' | 'prefix' | 'stores' | 'runsOn'>> &
  Pick<Wishes, 'source'> & { said: Readonly<Record<string, string>> };

/** What a call of one of our workflows is given. @param file its name */
function inputsFor(file: string, { profile }: Facts, wishes: AllWishes): Record<string, string> {
  const { install, prefix, source, stores, runsOn, said } = wishes;
  const hasBackups = ofProfile.includes(file);
  return {
    ...(prefix === usualPrefix ? {} : { 'environment-prefix': prefix }),
    ...(hasBackups && profile !== undefined && profile.path !== DEFAULT_PATH ? { profile: profile.path } : {}),
    ...said,
    ...(hasBackups && stores !== '' ? { stores } : {}),
    ...(runsOn === '' ? {} : { 'runs-on': runsOn }),
    ...(source !== undefined && ofSource.includes(file) ? { 'source-repository': source.repository } : {}),
    ...(source !== undefined && source.ref !== '' && ofSource.includes(file) ? { 'source-ref': source.ref } : {}),
    // The other suites need a key of the platform, which is not there before it is installed.
    ...(install && file === 'deploy.yml' ? { apply: 'setup', suite: 'health' } : {}),
  };
}

/** An example for the branch and the profile of a repository; as it is where they are the usual ones. */
function adapted(text: string, facts: Facts, wishes: AllWishes): string {
  const { branch } = facts;
  const document = parseDocument(text);
  let isOther = false;
  const set = (path: readonly (string | number)[], value: string): void => {
    if (document.getIn(path) === value) return;
    document.setIn(path, value);
    isOther = true;
  };
  for (const event of ['push', 'pull_request']) {
    // A filter is a pattern, in which these say something else than themselves.
    if (document.hasIn(['on', event, 'branches', 0])) {
      set(['on', event, 'branches', 0], branch.replace(/[*?+[\]!]/g, '\\$&'));
    }
  }
  for (const [job, { uses = '' }] of Object.entries(workflowShape.parse(document.toJS()).jobs)) {
    const [, file] = /\/workflows\/([\w-]+\.yml)@/.exec(uses) ?? [];
    if (file === undefined) continue;
    const inputs = inputsFor(file, facts, wishes);
    for (const [name, value] of Object.entries(inputs)) set(['jobs', job, 'with', name], value);
    if (inputs.apply === 'setup')
      set(['jobs', job, 'secrets', 'MCPRT_RESTORE_KEY'], `\${{ secrets.MCPRT_RESTORE_KEY }}`);
  }
  if (!isOther) return text;
  const own = document.toString({ lineWidth: 0, flowCollectionPadding: false });
  return own.replace(/^#.*\n/gm, (comment) => comment.replaceAll(/\bmain\b/g, () => branch));
}

/** A workflow under other names: its own, its groups, and those of the environments in its comments. */
function renamed(text: string, prefix: string): string {
  if (prefix === usualPrefix) return text;
  return text
    .split('\n')
    .map((line) => {
      // Whose workflow is called is no name of ours.
      if (/^\s*(?:- )?uses:/.test(line)) return line;
      const own = line
        .replaceAll(/\bmcprt-(?=[a-z$])/g, () => `${prefix}-`)
        .replace(/^name: mcprt /, () => `name: ${prefix} `)
        .replaceAll('mcprt preview build', () => `${prefix} preview build`)
        .replaceAll(/(?<=^ *#.*`)mcprt (?=[a-z])/g, () => `${prefix} `);
      return own.startsWith('#') ? own.replaceAll(/(?<=`)production(?=`)/g, () => deploymentOf(prefix)) : own;
    })
    .join('\n');
}
