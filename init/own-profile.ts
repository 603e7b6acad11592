import { posix } from 'node:path';
import { McprtError } from '../shared/errors.js';
import { DEFAULT_PATH } from '../shared/profile/profile.js';
import { callsIn } from './environments.js';
import { ofProfile } from './plan.js';
import type { Facts } from './repository-facts.js';
import type { Uses } from './uses.js';

/**
 * The workflows of a prefix are of one platform. Whoever went on with the profile of another one would let its jobs into the
 * wrong cluster, and have those of the first one sent there.
 *
 * @throws McprtError `init-prefix`
 */
export function requireOwnProfile({ profile, present }: Facts, prefix: string, uses: Uses | undefined): void {
  if (profile === undefined) return;
  // Jobs without the input take the usual profile; where there is none, its text may come from MCPRT_PROFILE.
  const unsaid = profile.isTracked || profile.hasUsual ? DEFAULT_PATH : profile.path;
  for (const [name, text] of present) {
    if (!name.startsWith(`${prefix}-`) || !/\.ya?ml$/.test(name)) continue;
    const other = profilesIn(text, prefix, uses)
      .map((path) => posix.normalize(path || unsaid))
      .find((path) => path !== profile.path);
    if (other === undefined) continue;
    throw new McprtError('init-prefix', {
      what: `the workflows of prefix ${prefix} are of another profile`,
      why: `.github/workflows/${name} has ${other}, and this run is for ${profile.path}`,
      next: 'a second platform takes --prefix NAME: docs/environments.md. Where the profile was only renamed, put its new path as `profile:` into these workflows, or move them away, and run this again',
    });
  }
}

/** The profiles of the calls of a workflow, as far as they are known before it runs; empty for the one that is usual. */
function profilesIn(text: string, prefix: string, uses: Uses | undefined): string[] {
  try {
    return callsIn(text, uses?.repository)
      .filter((call) => call.prefix === prefix && ofProfile.includes(call.file) && !call.profile.includes('${{'))
      .map(({ profile }) => profile);
  } catch {
    // Whether it must be readable, the plan of the workflows decides.
    return [];
  }
}
