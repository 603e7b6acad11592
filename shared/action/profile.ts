import { readdir, readFile } from 'node:fs/promises';
import { McprtError } from '../errors.js';
import { bareDomain } from '../profile/forms.js';
import {
  loadProfile,
  type Profile,
  profileTextInput,
  requireOwnProfile,
  requireSoundProfile,
} from '../profile/profile.js';
import type { Stage } from '../profile/reference.js';
import { type Hosts, secretValues, type Values } from '../profile/values.js';
import { domain, path, profileText } from './inputs.js';
import { log } from './log.js';

/** What the input `profile` says of a cluster without MCP Runtime. */
export const noProfile = 'none';

export interface Target {
  domain: string;
  /** Whether the cluster is MCP Runtime's; on any other, all that is there counts. */
  isPlatform: boolean;
  /** The kubeconfig that the profile names, if any. */
  kubeconfig: string | undefined;
  hosts: Hosts;
  /** What the profile says; nothing when there is none. */
  values: Values;
}

/** By which inputs an action is told what it is about. */
export interface ProfileInputs {
  profile: string;
  /** The text of a profile that is in no file of the job. */
  'profile-text': string;
  domain: string;
}

/** The same as types, in the order of action.yml. */
export const profileTypes = { profile: path, 'profile-text': profileText, domain } as const;

/**
 * The domain and kubeconfig that a step is about, from its inputs or the profile. What the profile's guardrails find
 * becomes annotations on its lines.
 *
 * @param destructive the word for an operation that must not run on the values of the committed template
 * @throws McprtError `profile-missing`, `profile-invalid`, `profile-example`, `input-invalid`
 */
export async function readTarget(
  inputs: ProfileInputs,
  options: {
    stage: Stage;
    destructive?: string;
    env: NodeJS.ProcessEnv;
    mask: (secret: string) => void;
    /** Makes no annotations: another step of the action has made them. */
    quiet?: boolean;
  },
): Promise<Target> {
  if (inputs.domain !== '' && bareDomain(inputs.domain) !== inputs.domain) {
    throw new McprtError('input-invalid', {
      what: 'the input `domain` is not a bare domain',
      why: 'it has a scheme, a port, a path or a capital letter',
      next: 'give the apex domain only, such as example.com',
    });
  }
  const { 'profile-text': text } = inputs;
  if (text !== '' && inputs.profile !== '') {
    throw new McprtError('input-invalid', {
      what: 'the inputs `profile` and `profile-text` are both given',
      why: 'one is the path of a profile, and the other one its text: they may differ',
      next: 'leave one of them empty',
    });
  }
  const isPlatform = inputs.profile !== noProfile;
  if (!isPlatform) requireName(inputs.domain, options.stage);
  if (inputs.domain !== '' && ((inputs.profile === '' && text === '') || !isPlatform)) {
    const { domain } = inputs;
    const hosts = { registry: `registry.${domain}`, mcp: `mcp.${domain}`, platform: `platform.${domain}` };
    return { domain, isPlatform, kubeconfig: undefined, hosts, values: new Map() };
  }
  const profile = await loadProfile({
    path: inputs.profile || undefined,
    ...(text === '' ? {} : { text }),
    environment: options.env,
    readText,
    namesIn,
    stage: options.stage,
  });
  for (const secret of secretValues(profile.values)) options.mask(secret);
  if (!options.quiet) annotate(profile);
  if (options.destructive !== undefined) requireOwnProfile(profile, options.destructive);
  const { domain, kubeconfig, hosts, values } = requireSoundProfile(profile);
  if (inputs.domain !== '' && inputs.domain !== domain) {
    throw new McprtError('input-invalid', {
      what: 'the inputs `domain` and `profile` are about two platforms',
      why: `the input says ${inputs.domain}, and the profile ${domain}`,
      next: 'give one of them, or make them agree',
    });
  }
  return { domain, isPlatform, kubeconfig, hosts, values };
}

/** Without a profile, the domain is what the backups of a cluster are called by. */
function requireName(domain: string, stage: Stage): void {
  if (stage !== 'backup') {
    throw new McprtError('input-invalid', {
      what: '`profile: none` is for clusters without MCP Runtime',
      why: 'this action sets up, rolls out or tests MCP Runtime; only action-backup works without it',
      next: `give the path of the deployment profile in \`profile\`, or only \`domain\`; a file of that name is ./${noProfile}`,
    });
  }
  if (domain !== '') return;
  throw new McprtError('input-invalid', {
    what: '`profile: none` needs the input `domain`',
    why: 'the backups of a cluster are named after it',
    next: 'give a domain of the cluster in `domain`, such as example.com, and the same one in every job',
  });
}

function annotate({ path, findings }: Profile): void {
  for (const { severity, code, message, remedy, line, column } of findings) {
    log[severity](`${message} ${remedy}`, {
      title: code,
      ...(path === profileTextInput ? {} : { file: path }),
      ...(line === undefined ? {} : { startLine: line }),
      ...(column === undefined ? {} : { startColumn: column }),
    });
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** What is told beside an error, and must not stand in its place: a folder that cannot be read has none. */
async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
