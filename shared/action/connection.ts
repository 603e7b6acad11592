import * as core from '@actions/core';
import type { Cluster } from '../cluster/cluster.js';
import { connect } from '../cluster/connect.js';
import { type Credentials, loadCredentials } from '../cluster/credentials.js';
import { identityCredentials } from '../cluster/identity.js';
import { claimsIn } from '../cluster/token-source.js';
import { McprtError } from '../errors.js';
import type { Stage } from '../profile/reference.js';
import { withoutEnd } from '../text.js';
import { proxiesOf } from './github.js';
import { jobIdentity } from './identity.js';
import { certificates, flag, type InputType, text } from './inputs.js';
import { log } from './log.js';
import { Markdown } from './markdown.js';
import { mask } from './mask.js';
import { readTarget, type Target } from './profile.js';

/** The address of an API server without a slash at its end, or nothing. */
const serverAddress: InputType<string> = {
  expected: 'the address of an API server, as https://HOST:6443',
  isPublic: (value) => /^https:\/\/[\w.:[\]-]+\/?$/.test(value),
  parse(value) {
    if (value === '') return '';
    const url = URL.canParse(value) ? new URL(value) : undefined;
    if (url?.protocol !== 'https:') throw new Error('it is no https address');
    if (url.username !== '' || /[?#]/.test(value)) throw new Error('it has a user, a query or a fragment');
    return withoutEnd(value, '/');
  },
};

/** The inputs by which every action reaches a cluster. */
export const connectionTypes = {
  kubeconfig: text,
  context: text,
  'kubeconfig-trusted': flag,
  server: serverAddress,
  'certificate-authority': certificates,
  audience: text,
} as const;

export interface ConnectionInputs {
  kubeconfig: string;
  context: string;
  'kubeconfig-trusted': boolean;
  server: string;
  'certificate-authority': string;
  audience: string;
}

export interface ConnectionOptions {
  env: NodeJS.ProcessEnv;
  mask: (secret: string) => void;
  /** The kubeconfig that the profile names. */
  profile?: string | undefined;
  /** Tells nothing that the main step has told. */
  quiet?: boolean;
  /** Asks the cluster what has to be known before anything else is done with it. */
  ask?: (cluster: Cluster) => Promise<void>;
}

/** What of a kubeconfig's life has to be left before its end is told, in days. */
const soon = 14;
const day = 24 * 3600_000;

/**
 * Opens the cluster that a step is about. The input `kubeconfig` wins; then `server`, to which the job shows its own
 * identity; then the kubeconfig of the profile, and that of the environment. No call is made to the cluster yet.
 *
 * @throws McprtError `kubeconfig-missing`, `kubeconfig-invalid`, `kubeconfig-untrusted`, `input-invalid`
 */
export async function openConnection(
  inputs: ConnectionInputs,
  { env, mask, profile, quiet = false, ask }: ConnectionOptions,
): Promise<{ cluster: Cluster; credentials: Credentials }> {
  const credentials = await credentialsFor(inputs, { env, mask, profile });
  if (!quiet) await tellEnd(credentials, new Date());
  return { cluster: connect(credentials, { proxies: proxiesOf(env), ...(ask ? { ask } : {}) }), credentials };
}

/**
 * The same for a post step, which reads no more of the inputs than it needs: files of the job may be gone by now. What the
 * main step has told is not told again.
 */
export async function openPostConnection(stage: Stage): Promise<{ cluster: Cluster; target: Target | undefined }> {
  const given = {
    profile: core.getInput('profile'),
    'profile-text': core.getInput('profile-text'),
    domain: core.getInput('domain'),
  };
  const { env } = process;
  const target = await readTarget(given, { stage, env, mask, quiet: true }).catch(() => undefined);
  const inputs = {
    kubeconfig: core.getInput('kubeconfig'),
    context: core.getInput('context'),
    'kubeconfig-trusted': flag.parse(core.getInput('kubeconfig-trusted')),
    server: serverAddress.parse(core.getInput('server')),
    'certificate-authority': certificates.parse(core.getInput('certificate-authority')),
    audience: core.getInput('audience'),
  };
  const { cluster } = await openConnection(inputs, { env, mask, profile: target?.kubeconfig, quiet: true });
  return { cluster, target };
}

async function credentialsFor(
  inputs: ConnectionInputs,
  { env, mask, profile }: ConnectionOptions,
): Promise<Credentials> {
  const { kubeconfig, server, audience, 'certificate-authority': certificateAuthority } = inputs;
  if (kubeconfig === '' && server !== '') {
    const tokens = jobIdentity(audience || server, { env, mask });
    return identityCredentials({ server, certificateAuthority, tokens });
  }
  if (kubeconfig === '' && (audience !== '' || certificateAuthority !== '')) {
    throw new McprtError('input-invalid', {
      what: 'it is not said which API server is meant',
      why: `\`${audience === '' ? 'certificate-authority' : 'audience'}\` is given, and \`server\` is empty`,
      next: 'give the address in `server`, usually from the variable MCPRT_SERVER, or a `kubeconfig` alone',
    });
  }
  return loadCredentials(kubeconfig || profile || (env.KUBECONFIG ?? ''), {
    trusted: inputs['kubeconfig-trusted'],
    context: inputs.context,
    onSecrets: (secrets) => secrets.forEach(mask),
  });
}

/** Whoever stores a token that ends is told before it does. */
async function tellEnd({ headers, tokens }: Credentials, now: Date): Promise<void> {
  const { exp, iat } = claimsIn((headers.authorization ?? '').replace(/^Bearer /, ''));
  if (tokens !== undefined || typeof exp !== 'number') return;
  // One that lives for hours or days is made anew by whoever made it so.
  if (typeof iat === 'number' && (exp - iat) * 1000 < 2 * soon * day) return;
  const left = exp * 1000 - now.getTime();
  if (left > soon * day) return;
  const when = new Date(exp * 1000).toISOString().slice(0, 10);
  const line = `the token of the kubeconfig ${left > 0 ? 'ends' : 'ended'} on ${when}: run \`init --renew\` and store the new one`;
  log.warning(line);
  await new Markdown().line(`⚠️ ${line}`).write();
}
