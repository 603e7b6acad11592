import { spellingWithout } from '../spelling.js';
import type { Mask } from './mask.js';

/** Remembers what is masked, to hand a plan's digest on without a part of it. */
export interface PlanOutput {
  /** Masks a secret, and remembers it. */
  mask: Mask;
  /** The digest of a plan as an output that GitHub does not keep back. @throws McprtError `github-masked` */
  spelled(digest: string): string;
}

/**
 * Makes outputs for plans.
 *
 * @param given secrets of the inputs: GitHub masks each line of them, however short it is
 */
export function planOutput(mask: Mask, given: readonly string[], env: NodeJS.ProcessEnv): PlanOutput {
  const hidden = new Set<string>();
  const remember = (secret: string): void => {
    for (const line of secret.split(/\r?\n/).map((part) => part.trim())) {
      // GitHub also masks a value without the quotes around it.
      for (const one of [line, line.replace(/^"(.*)"$/, '$1')]) if (one !== '') hidden.add(one);
    }
  };
  given.forEach(remember);
  return {
    mask(secret) {
      remember(secret);
      mask(secret);
    },
    spelled: (digest) => spellingWithout(digest, [...hidden], Number(env.GITHUB_RUN_ATTEMPT) || 1),
  };
}
