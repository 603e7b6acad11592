import { expectedPlan } from '../../shared/action/choice.js';
import { connectionTypes } from '../../shared/action/connection.js';
import {
  certificates,
  duration,
  flag,
  type Inputs,
  type InputType,
  lines,
  oneOf,
  overrides,
  path,
  readInputs,
  someOf,
  text,
  token,
} from '../../shared/action/inputs.js';
import { mask } from '../../shared/action/mask.js';
import { profileTypes } from '../../shared/action/profile.js';
import { McprtError } from '../../shared/errors.js';
import type { OperationName } from '../../shared/permissions/operations.js';
import { parseImages, parseTargets } from '../../shared/rollout/targets.js';
import { secretsIn } from '../../shared/secret-shapes.js';

/** Build arguments by name. */
const buildArguments: InputType<Record<string, string>> = {
  expected: 'NAME=value, one a line',
  isList: true,
  mayBeSecret: (value) => secretsIn(value).length > 0,
  parse: (value) =>
    Object.fromEntries(
      lines.parse(value).map((line) => {
        const [, name, argument] = /^([A-Za-z_]\w*)=(.*)$/.exec(line) ?? [];
        // A value may be a secret: the line is not shown.
        if (name === undefined || argument === undefined) throw new Error('a line has no NAME= at its beginning');
        return [name, argument];
      }),
    ),
};

/** Paths below the source, or `auto`. */
const manifests: InputType<'auto' | string[]> = {
  expected: '`auto`, or paths below `source`, one a line',
  isList: true,
  parse(value) {
    const paths = lines.parse(value);
    if (paths.length === 1 && paths[0] === 'auto') return 'auto';
    if (paths.some((path) => path.startsWith('/') || path.split('/').includes('..'))) {
      throw new Error('a path leads out of the source');
    }
    return paths;
  },
};

/** The inputs of action-rollout, in the order of its action.yml. */
export const inputTypes = {
  operation: oneOf(['rollout', 'plan']),
  ...connectionTypes,
  ...profileTypes,
  layout: oneOf(['auto', 'mono', 'split']),
  targets: { expected: 'deployment=container@dockerfile, one a line', isList: true, parse: parseTargets },
  images: {
    expected: 'deployment=image@sha256:digest, one a line',
    isList: true,
    parse: parseImages,
    isPublic: (value: string) =>
      lines.parse(value).every((line) => /^[\w./:@=-]{1,512}@sha256:[0-9a-f]{64}$/.test(line)),
  },
  source: path,
  tag: {
    ...text,
    // A commit's number, alone or in a tag such as sha-NUMBER or v1.2.3-NUMBER.
    isPublic: (value: string) =>
      value.split(/[-_.]/).every((part) => /^[0-9a-f]{7,64}$/.test(part) || secretsIn(part).length === 0),
  },
  'build-args': buildArguments,
  'build-cache': oneOf(['auto', 'none']),
  rebuild: flag,
  'registry-access': oneOf(['auto', 'public', 'port-forward']),
  permissions: manifests,
  policies: flag,
  'expect-plan': expectedPlan,
  'without-secrets': flag,
  rollback: flag,
  allow: someOf(['reconciler']),
  'rollout-timeout': duration,
  timeout: duration,
  resolve: overrides,
  'dns-server': text,
  'ca-bundle': certificates,
  environment: text,
  'github-token': token,
} as const;

/** The outputs of action-rollout, in the order of its action.yml. */
export const outputNames = [
  'result',
  'plan',
  'changes',
  'changed',
  'images',
  'layout',
  'rolled-back',
  'url',
  'fingerprint',
  'finding',
] as const;

/** State that tells the post step that the cluster was written to, and that all came to its end. */
export const states = { written: 'written', ended: 'ended' } as const;

export type RolloutInputs = Inputs<typeof inputTypes>;

/** Reads the inputs. @throws McprtError `input-invalid` */
export function readRolloutInputs(): RolloutInputs {
  const inputs = readInputs(inputTypes);
  if (inputs['without-secrets'] && inputs.operation !== 'plan') {
    throw new McprtError('input-invalid', {
      what: 'a rollout needs the platform’s Secrets',
      why: '`without-secrets` is for `operation: plan`, as of a pull request',
      next: 'leave `without-secrets` out, or plan only',
    });
  }
  for (const value of Object.values(inputs['build-args'])) mask(value);
  return inputs;
}

/** The operation, and what its inputs need on top. */
export function operationsOf({
  operation,
  permissions,
  'registry-access': access,
  'without-secrets': blind,
}: RolloutInputs): [OperationName, ...OperationName[]] {
  return [
    operation === 'rollout' ? operation : blind ? 'rollout-pull-request' : 'rollout-plan',
    ...(access === 'port-forward' && !blind ? (['rollout-port-forward'] as const) : []),
    ...(permissions.length > 0 ? (['rollout-permissions'] as const) : []),
  ];
}
