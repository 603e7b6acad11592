import { posix } from 'node:path';
import { McprtError } from '../shared/errors.js';
import { DEFAULT_PATH } from '../shared/profile/profile.js';
import { callsIn } from './environments.js';
import { ofProfile } from './plan.js';
import type { Facts } from './repository-facts.js';
import type { Uses } from './uses.js';

/**
 * The workflows of a prefix are of one platform, and a platform has those of one prefix. Whoever went on with the profile of
 * another one would let its jobs into the wrong cluster, and have those of the first one sent there.
 *
 * @throws McprtError `init-prefix`
 */
export function requireOwnProfile({ profile, present }: Facts, prefix: string, uses: Uses | undefined): void {
  if (profile === undefined) return;
  // Jobs without the input take the usual profile; where there is none, its text may come from MCPRT_PROFILE.
  const unsaid = profile.isTracked || profile.hasUsual ? DEFAULT_PATH : profile.path;
  for (const [name, text] of present) {
    if (!/\.ya?ml$/.test(name)) continue;
    for (const call of platformCalls(text, uses)) {
      if (!name.startsWith(`${call.prefix}-`)) continue;
      const path = posix.normalize(call.profile || unsaid);
      const [isOwn, isSame] = [call.prefix === prefix, path === profile.path];
      if (isOwn && !isSame) throw isAnothers(prefix, name, path, profile.path);
      if (!isOwn && isSame) throw hasAnother(prefix, name, call.prefix, path);
    }
  }
}

function isAnothers(prefix: string, name: string, path: string, wanted: string): McprtError {
  return new McprtError('init-prefix', {
    what: `the workflows of prefix ${prefix} are of another profile`,
    why: `.github/workflows/${name} has ${path}, and this run is for ${wanted}`,
    next: 'a second platform takes --prefix NAME: docs/environments.md. Where the profile was only renamed, put its new path as `profile:` into these workflows, or move them away, and run this again',
  });
}

function hasAnother(prefix: string, name: string, other: string, path: string): McprtError {
  return new McprtError('init-prefix', {
    what: `${path} already has workflows with prefix ${other}`,
    why: `.github/workflows/${name} is for it, and two sets of workflows would back up and deploy one platform beside each other`,
    next: `for a second platform, name its own profile: --profile PATH --prefix ${prefix}. Where it is to have another prefix from now on, move the workflows of ${other} away, and run this again`,
  });
}

/** The calls of a workflow that are of a profile, as far as that is known before it runs; an empty path is the usual one. */
function platformCalls(text: string, uses: Uses | undefined): { prefix: string; profile: string }[] {
  try {
    return callsIn(text, uses?.repository).filter(
      ({ file, profile, prefix }) => ofProfile.includes(file) && !`${profile}${prefix}`.includes('${{'),
    );
  } catch {
    // Whether it must be readable, the plan of the workflows decides.
    return [];
  }
}
