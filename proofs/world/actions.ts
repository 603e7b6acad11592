import type { Action, ActionOptions, ActionRun } from '../../lab/driver/action.js';
import { runFitting } from '../../lab/driver/result.js';
import type { KeySet } from '../../shared/backup/keys.js';

export type Inputs = Record<string, string>;
export type OnStart = ActionOptions['onStart'];

/** The shipped actions, each with what this world has for it unless the inputs say otherwise. */
export interface Actions {
  run(entry: ActionOptions['entry'], inputs?: Inputs, env?: Inputs, onStart?: OnStart): Promise<ActionRun>;
  backup(operation: string, inputs?: Inputs, env?: Inputs, onStart?: OnStart): Promise<ActionRun>;
  setup(inputs?: Inputs, env?: Inputs, onStart?: OnStart): Promise<ActionRun>;
  rollout(inputs?: Inputs, env?: Inputs, onStart?: OnStart): Promise<ActionRun>;
  smokeTest(inputs?: Inputs, env?: Inputs, onStart?: OnStart): Promise<ActionRun>;
}

/** What of a world the actions are told. */
export interface Surroundings {
  /** Folder for its files. */
  folder: string;
  kubeconfig: string;
  domain: string;
  keys: KeySet;
  /** Folder of its directory store. */
  backups: string;
  /** Path of the deployment profile. */
  profile: string;
  /** PEM of the root that the ACME server's certificates chain to. */
  root: string;
}

export type Given = Partial<Record<Action, Inputs>>;

/** The password of the smoke tests' users. */
export const userPassword = 'lab-smoke-users-password';

/** Operations of action-backup that hold the restore key and no other. */
const restores = ['plan', 'restore'];

/** What every world has for an action. */
const usual: Record<Action, (surroundings: Surroundings, operation: string) => Inputs> = {
  backup: ({ kubeconfig, domain, keys, backups }, operation) => ({
    kubeconfig,
    domain,
    'backup-key': restores.includes(operation) ? '' : keys.backup,
    'restore-key': restores.includes(operation) ? keys.restore : '',
    stores: 'directory',
    directory: backups,
  }),
  setup: ({ kubeconfig, domain, profile, root, keys, backups }) => ({
    kubeconfig,
    profile,
    'ca-bundle': root,
    'acme-email': `ops@${domain}`,
    'restore-key': keys.restore,
    stores: 'directory',
    directory: backups,
    // On a machine with other proofs beside, the first certificate has taken over a minute.
    'cert-timeout': '240s',
    'rollout-timeout': '240s',
    doctor: 'false',
  }),
  rollout: ({ kubeconfig, profile, root }) => ({
    kubeconfig,
    profile,
    'ca-bundle': root,
    'rollout-timeout': '60s',
  }),
  'smoke-test': ({ domain, root }) => ({
    domain,
    'user-password': userPassword,
    'ca-bundle': root,
    'deploy-timeout': '60s',
    'propagation-timeout': '30s',
  }),
};

const jobs: Record<Action, string> = { backup: 'restore', setup: 'setup', rollout: 'rollout', 'smoke-test': 'smoke' };

/** @param given what the world's parts have for the actions, as far as they are there by now */
export function actionsOf(surroundings: Surroundings, given: Given): Actions {
  const run: Actions['run'] = (entry, inputs = {}, env = {}, onStart) => {
    const action = entry.replace(/-post$/, '') as Action;
    return runFitting({
      entry,
      folder: surroundings.folder,
      inputs: { ...usual[action](surroundings, inputs.operation ?? ''), ...given[action], ...inputs },
      env: {
        GITHUB_REPOSITORY: 'acme/platform',
        GITHUB_REPOSITORY_ID: '42',
        GITHUB_RUN_ID: '1',
        GITHUB_RUN_ATTEMPT: '1',
        GITHUB_JOB: jobs[action],
        ...env,
      },
      ...(onStart ? { onStart } : {}),
    });
  };
  return {
    run,
    backup: (operation, inputs, env, onStart) => run('backup', { operation, ...inputs }, env, onStart),
    setup: (inputs, env, onStart) => run('setup', inputs, env, onStart),
    rollout: (inputs, env, onStart) => run('rollout', inputs, env, onStart),
    smokeTest: (inputs, env, onStart) => run('smoke-test', inputs, env, onStart),
  };
}
