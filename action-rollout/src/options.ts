import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Opened } from '../../shared/action/operation.js';
import { reachOf } from '../../shared/action/reach.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import type { RolloutOptions } from '../../shared/rollout/rollout.js';
import type { RolloutInputs } from './inputs.js';

/** What the inputs and the profile say of a rollout. */
export function optionsOf({ inputs, target: { hosts, values }, run, env }: Opened<RolloutInputs>): RolloutOptions {
  return {
    run,
    hosts,
    profile: values,
    layout: inputs.layout,
    targets: inputs.targets,
    images: inputs.images,
    permissions: inputs.permissions,
    policies: inputs.policies,
    expectedPlan: inputs['expect-plan'],
    rollback: inputs.rollback,
    overReconcilers: inputs.allow.includes('reconciler'),
    reach: reachOf(inputs, env),
    rolloutTimeout: inputs['rollout-timeout'],
    timeout: inputs.timeout,
    withoutSecrets: inputs['without-secrets'],
    dryRun: inputs.operation === 'plan',
  };
}

/** Reads a manifest with permissions. @throws McprtError `rollout-manifest` */
export async function readManifest(source: string, path: string): Promise<string> {
  return readFile(join(source, path), 'utf8').catch((cause: unknown) => {
    throw new McprtError('rollout-manifest', {
      what: `${path} cannot be read`,
      why: messageOf(cause),
      next: 'correct `permissions`: paths below `source`, or `auto` for those of the layout',
      cause,
    });
  });
}
