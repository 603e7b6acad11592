import { connectionTypes } from '../../shared/action/connection.js';
import {
  certificates,
  count,
  domain,
  duration,
  flag,
  type Inputs,
  type InputType,
  oneOf,
  overrides,
  path,
  secret,
  someOf,
  text,
  token,
} from '../../shared/action/inputs.js';
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

/** The inputs of action-smoke-test, in the order of its action.yml. */
export const inputTypes = {
  operation: oneOf(['test', 'preview', 'cleanup']),
  suite: someOf(['health', 'tenant', 'multitenancy']),
  profile: path,
  domain,
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
  'min-days': count,
  'skip-setup': flag,
  'run-id': runId,
  keep: flag,
  'pull-request': count,
  comment: flag,
  'older-than': duration,
  'previews-older-than': duration,
  'dry-run': flag,
  kubeconfig: connectionTypes.kubeconfig,
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
