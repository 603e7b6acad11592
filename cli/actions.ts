import * as z from 'zod';
import { inputTypes as backup } from '../action-backup/src/inputs.js';
import { inputTypes as rollout } from '../action-rollout/src/inputs.js';
import { inputTypes as setup } from '../action-setup/src/inputs.js';
import { inputTypes as smokeTest } from '../action-smoke-test/src/inputs.js';
import { flag, type InputType } from '../shared/action/inputs.js';

/** An action as the command offers it. */
export interface Action {
  name: string;
  description: string;
  operations: readonly string[];
  /** What they do. */
  operationText: string;
  /** What it does where no operation is given; undefined where one must be. */
  operation: string | undefined;
  /** Its inputs but for `operation`, in the order of its action.yml. */
  inputs: readonly Input[];
  /** What runs after it, whatever became of it. */
  hasPost: boolean;
}

export interface Input {
  name: string;
  description: string;
  default: string;
  type: InputType<unknown>;
}

const actionShape = z.looseObject({
  description: z.string(),
  inputs: z.record(z.string(), z.looseObject({ description: z.string(), default: z.string().default('') })),
  runs: z.looseObject({ post: z.string().optional() }),
});

const typesOf = { backup, setup, rollout, 'smoke-test': smokeTest } as const;

/** The actions that the command has, by the names of their folders without `action-`. */
export const actionNames = ['backup', 'setup', 'rollout', 'smoke-test'] as const;

/** A job has GitHub's cache and artifacts, and a terminal has not. */
const ownDefaults: Readonly<Record<string, string>> = { stores: 'directory' };

/**
 * The actions as their action.yml files describe them.
 *
 * @param texts what is in each of these files, by the action's name
 */
export function actionsFrom(texts: Readonly<Record<string, unknown>>): Action[] {
  return actionNames.map((name) => {
    const { description, inputs, runs } = actionShape.parse(texts[name]);
    const types: Readonly<Record<string, InputType<unknown>>> = typesOf[name];
    const all = Object.entries(types).map(([input, type]) => {
      const { description: told = '', default: given = '' } = inputs[input] ?? {};
      // What GitHub fills in is not there.
      return {
        name: input,
        description: told,
        default: ownDefaults[input] ?? (given.startsWith('${{') ? '' : given),
        type,
      };
    });
    const operation = all.find((one) => one.name === 'operation');
    return {
      name,
      description,
      operations: operation?.type.words ?? [],
      operationText: operation?.description ?? '',
      operation: operation?.default || undefined,
      inputs: all.filter((one) => one !== operation),
      hasPost: runs.post !== undefined,
    };
  });
}

/** Whether an option is given without a value. */
export function isFlag({ type }: Pick<Input, 'type'>): boolean {
  return type === flag;
}

/** Whether what is given is kept from other processes: it is taken from a file or a variable as well. */
export function isKept({ type }: Pick<Input, 'type'>): boolean {
  return type.isSecret === true || type.mayBeSecret !== undefined;
}

/** Whether a value of an input is one that no other process may see. */
export function holdsSecret({ type }: Pick<Input, 'type'>, value: string): boolean {
  return value !== '' && (type.isSecret === true || type.mayBeSecret?.(value) === true);
}

/** The variable that a kept input is taken from. */
export function variableOf({ name }: Pick<Input, 'name'>): string {
  return `MCPRT_${name.toUpperCase().replaceAll('-', '_')}`;
}
