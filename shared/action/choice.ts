import type { Overrides } from '../backup/select.js';
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

/** The inputs by which a step chooses a backup. */
export interface ChoiceInputs {
  generation: number | undefined;
  name: string;
  'from-cluster': string;
  'from-repository': string;
  allow: readonly string[];
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
    older: inputs.allow.includes('older-backup'),
    ...(inputs['from-cluster'] === '' ? {} : { fromCluster: inputs['from-cluster'] }),
    ...(inputs['from-repository'] === '' ? {} : { fromRepository: inputs['from-repository'] }),
  };
}
