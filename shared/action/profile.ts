import { readFile } from 'node:fs/promises';
import { McprtError } from '../errors.js';
import { bareDomain } from '../profile/forms.js';
import { loadProfile, type Profile, requireOwnProfile, requireSoundProfile } from '../profile/profile.js';
import type { Stage } from '../profile/reference.js';
import { type Hosts, secretValues, type Values } from '../profile/values.js';
import { log } from './log.js';

export interface Target {
  domain: string;
  /** The kubeconfig that the profile names, if any. */
  kubeconfig: string | undefined;
  hosts: Hosts;
  /** What the profile says; nothing when there is none. */
  values: Values;
}

/**
 * The domain and kubeconfig that a step is about, from its inputs or the profile. What the profile's guardrails find
 * becomes annotations on its lines.
 *
 * @param destructive the word for an operation that must not run on the values of the committed template
 * @throws McprtError `profile-missing`, `profile-invalid`, `profile-example`, `input-invalid`
 */
export async function readTarget(
  inputs: { profile: string; domain: string },
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
  if (inputs.domain !== '' && inputs.profile === '') {
    const { domain } = inputs;
    const hosts = { registry: `registry.${domain}`, mcp: `mcp.${domain}`, platform: `platform.${domain}` };
    return { domain, kubeconfig: undefined, hosts, values: new Map() };
  }
  const profile = await loadProfile({
    path: inputs.profile || undefined,
    environment: options.env,
    readText,
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
  return { domain, kubeconfig, hosts, values };
}

function annotate({ path, findings }: Profile): void {
  for (const { severity, code, message, remedy, line, column } of findings) {
    log[severity](`${message} ${remedy}`, {
      title: code,
      file: path,
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
