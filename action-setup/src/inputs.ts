import {
  backupName,
  expectedPlan,
  fingerprint,
  generationNumber,
  repositoryOrigin,
} from '../../shared/action/choice.js';
import { connectionTypes } from '../../shared/action/connection.js';
import {
  certificates,
  countOrAuto,
  duration,
  flag,
  type Inputs,
  type InputType,
  lines,
  maybeDuration,
  oneOf,
  overrides,
  path,
  readInputs,
  secret,
  someOf,
  text,
  token,
} from '../../shared/action/inputs.js';
import { profileTypes } from '../../shared/action/profile.js';
import { storeTypes } from '../../shared/action/store-inputs.js';
import { McprtError } from '../../shared/errors.js';
import { furtherArguments } from '../../shared/setup/invocation.js';

/** Arguments of the installer, one a line, that are a user's to give. */
const installerArguments: InputType<string[]> = {
  expected: 'further arguments of the installer',
  isList: true,
  parse: (value) => furtherArguments(lines.parse(value)),
};

const modes = oneOf(['tenant', 'org', 'public']);

/** A platform mode, or none: the cluster's or its backup's counts then. */
const platformMode: InputType<string> = {
  expected: `${modes.expected}, or nothing`,
  parse: (value) => (value === '' ? '' : modes.parse(value)),
};

/** The inputs of action-setup, in the order of its action.yml. */
export const inputTypes = {
  operation: oneOf(['install', 'check']),
  mode: oneOf(['auto', 'first-install', 'rerun']),
  ...connectionTypes,
  ...profileTypes,
  source: path,
  binary: path,
  'acme-email': text,
  'tls-cluster-issuer': text,
  'registry-mode': text,
  'platform-mode': platformMode,
  ingress: text,
  'setup-args': installerArguments,
  'cert-timeout': maybeDuration,
  'rollout-timeout': maybeDuration,
  'restore-key': secret,
  ...storeTypes,
  'max-orders': countOrAuto,
  'max-age': duration,
  generation: generationNumber,
  name: backupName,
  'from-cluster': fingerprint,
  'from-repository': repositoryOrigin,
  'expect-plan': expectedPlan,
  allow: someOf(['older-backup', 'platform-mode', 'stop-cert-manager']),
  'cert-manager-version': text,
  'cert-manager-manifest': text,
  resolve: overrides,
  'dns-server': text,
  'ca-bundle': certificates,
  'release-namespace': text,
  doctor: flag,
  timeout: duration,
  'dry-run': flag,
  'github-token': token,
} as const;

/** The outputs of action-setup, in the order of its action.yml. */
export const outputNames = [
  'result',
  'case',
  'mode',
  'plan',
  'orders',
  'certificates',
  'generation',
  'version',
  'fingerprint',
  'findings',
  'finding',
] as const;

/** State that tells the post step that the installer may have run. */
export const startedState = 'started';

/** State that tells the post step where the installer's kubeconfig is. */
export const kubeconfigState = 'kubeconfig';

export type SetupInputs = Inputs<typeof inputTypes>;

/** Reads the inputs. @throws McprtError `input-invalid` */
export function readSetupInputs(): SetupInputs {
  const inputs = readInputs(inputTypes);
  requireProfile(inputs);
  requireNoPlan(inputs);
  return inputs;
}

/** Without a profile the installer would be told a domain and nothing else: its address, images and administrator come from there. */
function requireProfile({ operation, domain, profile, 'profile-text': text }: SetupInputs): void {
  if (operation !== 'install' || domain === '' || profile !== '' || text !== '') return;
  throw new McprtError('input-invalid', {
    what: 'an installation needs a profile, and the input `domain` stands instead of one',
    why: '`domain` alone is for `check`',
    next: 'leave `domain` out, or give the path in `profile` or the text in `profile-text` as well',
  });
}

/** Who gives a plan to a check would think that something was held to it. */
function requireNoPlan({ operation, 'expect-plan': expected, 'release-namespace': namespace }: SetupInputs): void {
  if (expected === '') return;
  if (operation === 'install' && namespace !== '') {
    throw new McprtError('input-invalid', {
      what: 'both `expect-plan` and `release-namespace` are given',
      why: 'a namespace is given up before it can be seen what else a setup would do, and no plan holds it',
      next: 'release it in a run of its own without `expect-plan`; then make a new plan, and have it approved',
    });
  }
  if (operation === 'install') return;
  throw new McprtError('input-invalid', {
    what: '`expect-plan` is given, and a check has no plan',
    why: 'a check looks, and changes nothing',
    next: 'leave `expect-plan` out',
  });
}
