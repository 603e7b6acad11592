import { parseDocument } from 'yaml';
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
  /** `kept`: another file of that name is there, and is left alone. */
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
}

const ofProfile = ['backup.yml', 'deploy.yml', 'drill.yml', 'reinstall.yml', 'restore.yml'];
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
  { install = false, uses, prefix = usualPrefix, source, stores = '' }: Wishes = {},
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
    const own = renamed(adapted(called, facts, { install, prefix, source, stores }), prefix);
    const there = facts.present.get(name);
    return [{ name, text: own, state: there === undefined ? 'new' : there === own ? 'same' : 'kept' }];
  });
  const calls = files.flatMap(({ name, text, state }) =>
    state === 'kept' ? callsOfKept(name, facts.present.get(name) ?? '', uses) : callsIn(text, uses?.repository),
  );
  const environments = environmentsOf(calls.map(({ file, ...call }) => ({ text: called.get(file) ?? '', ...call })));
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

/** An example for the branch and the profile of a repository; as it is where they are the usual ones. */
function adapted(
  text: string,
  { branch, profile }: Facts,
  { install, prefix, source, stores }: Required<Pick<Wishes, 'install' | 'prefix' | 'stores'>> & Pick<Wishes, 'source'>,
): string {
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
  const calls = Object.entries(
    z.record(z.string(), z.looseObject({ uses: z.string().optional() })).parse(document.toJS().jobs),
  );
  for (const [job, { uses = '' }] of calls) {
    if (prefix !== usualPrefix && uses !== '') set(['jobs', job, 'with', 'environment-prefix'], prefix);
    if (/\/workflows\/(?:backup|deploy|drill|reinstall|restore)\.yml@/.test(uses)) {
      if (profile !== undefined && profile.path !== DEFAULT_PATH) set(['jobs', job, 'with', 'profile'], profile.path);
      if (stores !== '') set(['jobs', job, 'with', 'stores'], stores);
    }
    if (source !== undefined && /\/workflows\/(?:deploy|reinstall)\.yml@/.test(uses)) {
      set(['jobs', job, 'with', 'source-repository'], source.repository);
      if (source.ref !== '') set(['jobs', job, 'with', 'source-ref'], source.ref);
    }
    if (install && /\/workflows\/deploy\.yml@/.test(uses)) {
      set(['jobs', job, 'with', 'apply'], 'setup');
      // The other suites need a key of the platform, which is not there before it is installed.
      set(['jobs', job, 'with', 'suite'], 'health');
      set(['jobs', job, 'secrets', 'MCPRT_RESTORE_KEY'], `\${{ secrets.MCPRT_RESTORE_KEY }}`);
    }
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
        .replaceAll('mcprt preview build', () => `${prefix} preview build`);
      return own.startsWith('#') ? own.replaceAll(/(?<=`)production(?=`)/g, () => deploymentOf(prefix)) : own;
    })
    .join('\n');
}
