import { connectionTypes } from '../../shared/action/connection.js';
import {
  certificates,
  count,
  countOrAuto,
  duration,
  flag,
  type Inputs,
  type InputType,
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
import { McprtError } from '../../shared/errors.js';
import { isRecord } from '../../shared/json.js';

/** Arguments of a tool. */
const jsonObject: InputType<Record<string, unknown>> = {
  expected: 'a JSON object, such as {"a":7}',
  parse(value) {
    const parsed = value === '' ? {} : jsonOf(value);
    if (!isRecord(parsed)) throw new Error('it is no object');
    return parsed;
  },
};

/** The parser's own words hold the beginning of what it cannot parse, which may be a secret. */
function jsonOf(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    throw new Error('it is no JSON');
  }
}

/** The beginning of the teams' slugs: with `-techcorp` behind it no longer than the platform can make a namespace of. */
const teamPrefix: InputType<string> = {
  expected: 'lower-case letters, digits and dashes, 40 at most',
  parse(value) {
    if (!/^[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?$/.test(value)) throw new Error('a slug cannot begin with it');
    return value;
  },
};

/** What tells a run's names from another's; made by the action when empty. */
const runId: InputType<string> = {
  expected: 'the output `run-id` of an earlier run',
  parse(value) {
    if (!/^(?:[a-z0-9](?:[-a-z0-9]{0,28}[a-z0-9])?)?$/.test(value)) throw new Error('it is none');
    return value;
  },
};

/** What `suite` may name, each with its part in suites.ts. */
const suiteNames = ['health', 'tenant', 'multitenancy'] as const;

/** The inputs of action-smoke-test, in the order of its action.yml. */
export const inputTypes = {
  operation: oneOf(['test', 'preview', 'cleanup']),
  suite: someOf(suiteNames),
  ...profileTypes,
  'admin-key': token,
  'admin-email': text,
  'admin-password': secret,
  'user-password': secret,
  'team-prefix': teamPrefix,
  source: path,
  dockerfile: path,
  metadata: path,
  server: text,
  'image-archive': path,
  'image-platform': text,
  'call-tool': text,
  'call-arguments': jsonObject,
  'call-expects': text,
  'push-limit': duration,
  'deploy-timeout': duration,
  'propagation-timeout': duration,
  'min-days': countOrAuto,
  'skip-setup': flag,
  'run-id': runId,
  keep: flag,
  'pull-request': count,
  comment: flag,
  'older-than': duration,
  'previews-older-than': duration,
  'dry-run': flag,
  kubeconfig: connectionTypes.kubeconfig,
  context: connectionTypes.context,
  'kubeconfig-trusted': connectionTypes['kubeconfig-trusted'],
  // `server` is the MCP server that is tested.
  'api-server': connectionTypes.server,
  'certificate-authority': connectionTypes['certificate-authority'],
  audience: connectionTypes.audience,
  junit: path,
  timeout: duration,
  resolve: overrides,
  'dns-server': text,
  'ca-bundle': certificates,
  'github-token': token,
} as const;

/** The outputs of action-smoke-test, in the order of its action.yml. */
export const outputNames = [
  'result',
  'passed',
  'failed',
  'skipped',
  'failure',
  'junit',
  'run-id',
  'server',
  'url',
  'removed',
] as const;

/** State that tells the post step what a run had made and not removed when it was stopped. */
export const states = { made: 'made' } as const;

export type SmokeInputs = Inputs<typeof inputTypes>;

/** Reads the inputs. @throws McprtError `input-invalid`, `smoke-no-suite`, `smoke-no-password`, `smoke-no-run` */
export function readSmokeInputs(): SmokeInputs {
  const inputs = readInputs(inputTypes);
  if (inputs.operation === 'test') requireInputs(inputs);
  return inputs;
}

/** @throws McprtError `smoke-no-suite`, `smoke-no-password`, `smoke-no-run` */
function requireInputs(inputs: SmokeInputs): void {
  if (inputs.suite.length === 0) {
    throw new McprtError('smoke-no-suite', {
      what: 'nothing is to be tested',
      why: '`suite` is empty',
      next: `give \`suite\`: ${suiteNames.join(', ')}`,
    });
  }
  if (inputs.suite.some((suite) => suite !== 'health')) requirePassword(inputs);
  if (inputs['skip-setup'] && inputs['run-id'] === '') {
    throw new McprtError('smoke-no-run', {
      what: 'it is not known whose servers and grants to take',
      why: '`skip-setup` is set, and `run-id` is empty',
      next: 'run it once with `keep: true`, and give its output `run-id`',
    });
  }
}

/** @throws McprtError `smoke-no-password` */
export function requirePassword(inputs: SmokeInputs): void {
  const { length } = inputs['user-password'];
  if (length >= 8 && length <= 72) return;
  throw new McprtError('smoke-no-password', {
    what: 'the tests’ own users have no password that the platform takes',
    why: `\`user-password\` ${length === 0 ? 'is empty' : `has ${length} characters`}; secrets are empty also in a run that a fork has caused`,
    next: 'give a password of 8 to 72 characters, in a job from a secret, and keep it the same: the platform cannot change one',
  });
}
