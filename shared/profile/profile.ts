import { dirname, join } from 'node:path';
import { McprtError } from '../errors.js';
import { checkProfile } from './check.js';
import type { Finding } from './finding.js';
import { type Environment, parseProfile } from './parse.js';
import type { Stage } from './reference.js';
import { domainOf, type Hosts, hostsOf, kubeconfigOf, type Values } from './values.js';

/** Where a profile is when nothing else is said, from the root of the platform's repository. */
export const DEFAULT_PATH = 'config/deployments/mcpruntime-org.env';

/** The input that a profile without a file comes by; messages call it so. */
export const profileTextInput = 'in `profile-text`';

export const TEMPLATE_SUFFIX = '.example';

/** A profile that was read, sound or not: `findings` says which. */
export interface Profile {
  /** The file that was read, or the input that it came by. */
  readonly path: string;
  /** `example` when the committed template was read: its values may be those of somebody else's cluster. */
  readonly origin: 'own' | 'example';
  readonly values: Values;
  readonly domain: string | undefined;
  readonly hosts: Partial<Hosts>;
  readonly kubeconfig: string | undefined;
  readonly findings: readonly Finding[];
}

/** A profile without errors, whose domain and hosts are therefore known. */
export interface SoundProfile extends Profile {
  readonly domain: string;
  readonly hosts: Hosts;
}

export interface LoadOptions {
  /** The profile itself, where it is in no file. */
  readonly text?: string | undefined;
  /** The path that the user gave; it wins over MCP_DEPLOY_ENV of the environment, and that over DEFAULT_PATH. */
  readonly path?: string | undefined;
  /** MCP_DEPLOY_ENV is read from it, and what the profile refers to without setting it, such as HOME. */
  readonly environment: Environment;
  /** The text of a file; undefined when there is no such file. Other failures are thrown, and pass through. */
  readonly readText: (path: string) => Promise<string | undefined>;
  /** The names of the files in a folder; none where there is no such folder. */
  readonly namesIn?: (folder: string) => Promise<readonly string[]>;
  readonly stage: Stage;
}

/**
 * Reads the profile, or the template next to it when there is no profile, and checks it for a stage.
 * Throws `profile-missing` when neither is there; everything else about its content becomes a finding.
 */
export async function loadProfile(options: LoadOptions): Promise<Profile> {
  const { environment, stage } = options;
  const wanted = options.path || environment.MCP_DEPLOY_ENV || DEFAULT_PATH;
  const { path, text } =
    options.text === undefined
      ? await readProfileOrTemplate(wanted, options)
      : { path: profileTextInput, text: options.text };
  const origin = path.endsWith(TEMPLATE_SUFFIX) ? 'example' : 'own';
  const parsed = parseProfile(text, environment);
  const values: Values = new Map([...parsed.assignments.values()].map(({ name, value }) => [name, value]));
  const ofTheFile = checkProfile(parsed, { values, stage });
  return {
    path,
    origin,
    values,
    domain: domainOf(values),
    hosts: hostsOf(values),
    kubeconfig: kubeconfigOf(values),
    findings: origin === 'own' ? ofTheFile : [templateFinding(path), ...ofTheFile],
  };
}

async function readProfileOrTemplate(wanted: string, { readText, namesIn = async () => [], environment }: LoadOptions) {
  const template = `${wanted}${TEMPLATE_SUFFIX}`;
  for (const path of [wanted, template]) {
    const text = await readText(path);
    if (text !== undefined) return { path, text };
  }
  const folder = dirname(wanted);
  throw new McprtError('profile-missing', {
    what: `There is no deployment profile at ${wanted}.`,
    why: `Neither ${wanted} nor the template ${template} exists.`,
    next: [
      ...othersIn(folder, await namesIn(folder)),
      'Give its path in `profile`, its text in `profile-text`, or, for a step that needs no more, the domain in `domain`.',
      ...(environment.GITHUB_ACTIONS === 'true'
        ? [
            'A job has the files of the repository that it checks out. Our workflows for previews take the domain from the variable MCP_DOMAIN of the job’s environment.',
          ]
        : []),
    ].join(' '),
  });
}

/** So many files are named. */
const mostNamed = 5;

/** What the profile may be instead: whoever has one of another name need not be asked where it is. */
function othersIn(folder: string, names: readonly string[]): string[] {
  const paths = names.filter((name) => name.endsWith('.env')).map((name) => `\`profile: ${join(folder, name)}\``);
  if (paths.length === 0) return [];
  const more = paths.length > mostNamed ? `, or another of the ${paths.length} in ${folder}` : '';
  return [
    `There ${paths.length === 1 ? 'is another one' : 'are others'}: give ${paths.toSorted().slice(0, mostNamed).join(' or ')}${more}.`,
  ];
}

function templateFinding(path: string): Finding {
  return {
    code: 'profile-example',
    severity: 'warning',
    message: `There is no profile of your own, so the template ${path} was read. It may name another cluster.`,
    remedy: `Copy it to ${path.slice(0, -TEMPLATE_SUFFIX.length)} and put in your values.`,
  };
}

/**
 * Refuses to do something destructive with the values of the template. `operation` is the word for the message
 * (restore, wipe). Throws `profile-example`.
 */
export function requireOwnProfile({ path, origin }: Profile, operation: string): void {
  if (origin === 'own') return;
  throw new McprtError('profile-example', {
    what: `A ${operation} needs a profile of your own.`,
    why: `${path} is the committed template, and its values may be those of somebody else's cluster.`,
    next: `Copy it to ${path.slice(0, -TEMPLATE_SUFFIX.length)}, put in your values and run again.`,
  });
}

/** The profile with domain and hosts known for sure. Throws `profile-invalid`, naming every error and its line. */
export function requireSoundProfile(profile: Profile): SoundProfile {
  const { path, domain, hosts, findings } = profile;
  const { registry, mcp, platform } = hosts;
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (
    errors.length === 0 &&
    domain !== undefined &&
    registry !== undefined &&
    mcp !== undefined &&
    platform !== undefined
  ) {
    return { ...profile, domain, hosts: { registry, mcp, platform } };
  }
  const list = errors.map(
    ({ line, message, remedy }) => `${line === undefined ? '' : `line ${line}: `}${message} ${remedy}`,
  );
  throw new McprtError('profile-invalid', {
    what: `The profile ${path} cannot be used: ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}.`,
    why: list.join('\n'),
    next: 'Fix these lines and run again.',
  });
}
