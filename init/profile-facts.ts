import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { McprtError } from '../shared/errors.js';
import { DEFAULT_PATH, loadProfile, TEMPLATE_SUFFIX } from '../shared/profile/profile.js';
import { given, secretValues } from '../shared/profile/values.js';
import { shellWord } from '../shared/shell-word.js';
import type { Git } from './git.js';
import { isThere } from './paths.js';

export interface ProfileFacts {
  /** From the root of the repository. */
  path: string;
  domain: string;
  /** Whether git has it: a job sees nothing else. */
  isTracked: boolean;
  hasSecrets: boolean;
  /** Whether there is one at the path that jobs take where none is said. */
  hasUsual: boolean;
  /** Variables that still hold what the template has in them. */
  placeholders: string[];
  /** What else stops every job that reads it. */
  errors: string[];
  /** The template that was read, as there is no profile yet. */
  template: string | undefined;
}

interface Where {
  root: string;
  /** The folder that was named; profiles are looked for in it. */
  folder: string;
  /** Path that was given; empty for the one that is there. */
  wanted: string;
  /** Whether jobs install the platform with it, which takes more. */
  installs: boolean;
  env: NodeJS.ProcessEnv;
}

/** What is known of the profile, and the kubeconfig that it names; undefined where there is none. @throws McprtError `init-profiles` */
export async function profileAt(
  git: Git,
  { root, folder, wanted, installs, env }: Where,
): Promise<{ facts: ProfileFacts; kubeconfig: string | undefined } | undefined> {
  const found = wanted === '' ? await onlyProfile(folder) : await givenProfile(wanted, folder, root);
  if (found === '') return undefined;
  // The folder is gone by its real path, as git does; a profile that is a link stays where the repository has it.
  const place = await realpath(dirname(found)).catch(() => dirname(found));
  const path = relative(root, join(place, basename(found)));
  if (path.startsWith('../') || isAbsolute(path)) {
    throw new McprtError('init-profiles', {
      what: 'the profile is outside of the repository',
      why: `${found} is not in ${root}, and a job sees nothing else`,
      next: 'put it into the repository, or run this in the one that it is in, or name that with --in',
    });
  }
  const profile = await loadProfile({
    path: found,
    environment: env,
    readText: (file) => readFile(file, 'utf8').catch(() => undefined),
    stage: installs ? 'setup' : 'backup',
  });
  const isTracked = (await git('ls-files', '--', `:(top,literal)${path}`)) !== '';
  const isPlaceholder = ({ code }: { code: string }): boolean => code === 'profile-placeholder';
  const { domain = '', kubeconfig, findings } = profile;
  return {
    facts: {
      path,
      domain,
      isTracked,
      hasUsual: await isThere(join(root, DEFAULT_PATH)),
      hasSecrets: secretValues(profile.values).length > 0,
      placeholders: findings.filter(isPlaceholder).map(({ variable = '' }) => variable),
      errors: [
        ...findings
          .filter((one) => one.severity === 'error' && !isPlaceholder(one))
          .map(({ line, message }) => `${line === undefined ? '' : `line ${line}: `}${message}`),
        ...(installs && given(profile.values, 'MCP_ACME_EMAIL') === undefined
          ? ['MCP_ACME_EMAIL is required for a first installation: the address for Let’s Encrypt.']
          : []),
      ],
      template: profile.origin === 'example' ? relative(root, profile.path) : undefined,
    },
    kubeconfig,
  };
}

/** Somebody types a path from where he is, or from the folder that he names, or as a workflow has it. */
async function givenProfile(wanted: string, folder: string, root: string): Promise<string> {
  const candidates = [resolve(folder, wanted), resolve(wanted), resolve(root, wanted)];
  for (const path of candidates) if ((await isThere(path)) || (await isThere(`${path}${TEMPLATE_SUFFIX}`))) return path;
  const there = await profilesIn(folder);
  throw new McprtError('init-profiles', {
    what: `there is no deployment profile ${wanted}`,
    why: `none of ${[...new Set(candidates)].join(', ')} is there`,
    next:
      there.length === 0
        ? 'name one that is there with --profile'
        : `name one that is there: ${there.map((path) => `--profile ${shellWord(path)}`).join(' or ')}`,
  });
}

async function profilesIn(folder: string): Promise<string[]> {
  const names = await readdir(join(folder, 'config', 'deployments')).catch((): string[] => []);
  return names.filter((name) => name.endsWith('.env')).map((name) => `config/deployments/${name}`);
}

async function onlyProfile(folder: string): Promise<string> {
  const paths = await profilesIn(folder);
  if (paths.includes(DEFAULT_PATH)) return join(folder, DEFAULT_PATH);
  const [only = '', ...others] = paths;
  if (others.length > 0) {
    throw new McprtError('init-profiles', {
      what: `there are ${paths.length} deployment profiles`,
      why: `${paths.join(', ')}, and none of them is ${DEFAULT_PATH}`,
      next: 'name the one that is deployed with --profile; where each is a platform of its own, run this once for each, and every further one with --prefix NAME as well: docs/environments.md',
    });
  }
  return only === '' ? '' : join(folder, only);
}
