import type { Overrides } from '../backup/choose-backup.js';
import type { Named } from '../backup/walk.js';
import { McprtError } from '../errors.js';
import type { InputType } from './inputs.js';

/** A generation, or nothing for the newest. */
export const generationNumber: InputType<number | undefined> = {
  expected: 'the number of a generation, such as 41',
  parse(value) {
    if (value === '') return undefined;
    // As a summary shows it, and as a name has it.
    if (!/^g?\d{1,15}$/.test(value) || Number(value.replace('g', '')) < 1) throw new Error('it is none');
    return Number(value.replace('g', ''));
  },
};

/** A text of one form, or nothing. What is put into the wrong input may be a key, and must not go into a message. */
function formed(expected: string, form: RegExp): InputType<string> {
  return {
    expected,
    parse(value) {
      if (value !== '' && !form.test(value)) throw new Error('it has another form');
      return value;
    },
  };
}

const nameForm = /^mcprt-backup-[\w.-]{1,253}-g\d{8,15}-r\w{1,20}\.\d{1,9}$/;

/** A name as every backup has one, or nothing. */
export const backupName: InputType<string> = {
  ...formed('the name of a backup, such as mcprt-backup-example.com-g00000041-r7.1', nameForm),
  isPublic: (value) => nameForm.test(value),
};

/** What a cluster is told from others by, the UID of its namespace kube-system, or nothing. Whether it is that of the backup is said there. */
export const fingerprint: InputType<string> = {
  expected: 'the fingerprint of a cluster, as summaries have it',
  isPublic: (value) => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(value),
  parse: (value) => value,
};

/** What a refusal calls the repository of a backup, or nothing. */
export const repositoryOrigin: InputType<string> = {
  ...formed(
    'the id of a repository, such as 42, or local/HOSTNAME, or none',
    /^[\w.-]{1,100}(?:\/[\w.%!~*'()-]{1,800})?$/,
  ),
  isPublic: (value) => /^(?:\d{1,20}|local\/[\w.-]{1,253})$/.test(value),
};

/** A digest as the output `plan` has it, or nothing. */
export const approvedPlan: InputType<string> = {
  ...formed('the output `plan` of an earlier plan', /^[0-9a-f]{64}$/),
  isPublic: (value) => /^[0-9a-f]{64}$/.test(value),
};

/**
 * The plan that was approved; empty where nobody was asked. That is said by the word `none`, which is the default: an input
 * that is given and empty is one whose plan got lost on its way.
 */
export const expectedPlan: InputType<string> = {
  ...approvedPlan,
  parse(value) {
    if (value === 'none') return '';
    if (value !== '') return approvedPlan.parse(value);
    throw new Error(
      'it is empty: the step or job that plans gave none, or GitHub kept it back since a part of it is masked. Run all jobs of this run again: each attempt spells the digest another way. Where nobody approves, leave the input out',
    );
  },
};

/** The inputs by which a step chooses a backup. */
export interface ChoiceInputs {
  generation: number | undefined;
  name: string;
  'from-cluster': string;
  'from-repository': string;
  allow: { readonly older: boolean };
}

/**
 * Which backup is named, if one is.
 *
 * @throws McprtError `input-invalid` where two answers would be possible
 */
export function namedBy({ generation, name }: Pick<ChoiceInputs, 'generation' | 'name'>): Named {
  if (generation !== undefined && name !== '') {
    throw new McprtError('input-invalid', {
      what: 'both `generation` and `name` are given',
      why: 'a name is of one generation already',
      next: 'give one of them',
    });
  }
  return { ...(generation === undefined ? {} : { generation }), ...(name === '' ? {} : { name }) };
}

/** What a step says of the backup that it wants. @throws McprtError `input-invalid` */
export function overridesOf(inputs: ChoiceInputs): Overrides {
  return {
    ...namedBy(inputs),
    older: inputs.allow.older,
    ...(inputs['from-cluster'] === '' ? {} : { fromCluster: inputs['from-cluster'] }),
    ...(inputs['from-repository'] === '' ? {} : { fromRepository: inputs['from-repository'] }),
  };
}
