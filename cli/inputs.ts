import { McprtError, messageOf } from '../shared/errors.js';
import { type Action, holdsSecret, type Input, isKept, variableOf } from './actions.js';
import type { Given } from './arguments.js';
import { usage } from './usage.js';

/** What the values of inputs are read from. */
export interface Sources {
  env: NodeJS.ProcessEnv;
  /** The text of a file; of standard input where the path is `-`. */
  read: (path: string) => Promise<string>;
  /** Told of each secret as soon as it is known. */
  remember: (secret: string) => void;
}

/**
 * The inputs of an action as a job would have them: from options, files and variables, and their defaults. They are held
 * to what the action takes before it is started.
 *
 * @throws McprtError `command-usage`, `command-file`, `input-invalid`
 */
export async function inputsFor(
  action: Action,
  operation: string,
  given: ReadonlyMap<string, Given>,
  sources: Sources,
): Promise<Record<string, string>> {
  const fromStdin = [...given].filter(([, one]) => 'file' in one && one.file === '-').map(([name]) => name);
  if (fromStdin.length > 1) {
    const names = fromStdin.map((name) => `--${name}-file`).join(' and ');
    throw usage(`${names} both name standard input`, 'it can be read once', 'give all but one as a file or a variable');
  }
  const values: [string, string][] = [];
  for (const input of action.inputs) values.push([input.name, await valueFor(input, given.get(input.name), sources)]);
  const found = Object.fromEntries(values);
  const inputs = 'stores' in found && !given.has('stores') ? { ...found, stores: placesOf(found, operation) } : found;
  for (const input of action.inputs) requireFit(input, inputs[input.name] ?? '');
  return { operation, ...inputs };
}

/** Stores whose place was named: nobody types that of one that is not meant. A copy is fetched into a folder, from elsewhere. */
function placesOf(inputs: Readonly<Record<string, string>>, operation: string): string {
  const named = ['directory', 'oci', 's3'].filter((name) => inputs[name]?.trim());
  return named.filter((name) => name !== 'directory' || operation !== 'fetch').join(',') || (inputs.stores ?? '');
}

async function valueFor(input: Input, given: Given | undefined, { env, read, remember }: Sources): Promise<string> {
  if (given !== undefined && 'value' in given) return given.value;
  const variable = isKept(input) ? env[variableOf(input)] : undefined;
  const value = given === undefined ? variable : await textOf(input, given.file, read);
  if (value === undefined || value === '') return given === undefined ? input.default : '';
  if (holdsSecret(input, value)) remember(value);
  return value;
}

async function textOf({ name }: Input, path: string, read: Sources['read']): Promise<string> {
  try {
    return await read(path);
  } catch (cause) {
    throw new McprtError('command-file', {
      what: `what --${name}-file names cannot be read`,
      // A path that was mistaken for a secret stands in the system's own message.
      why: isRead(cause) ? `the system says ${cause.code}` : messageOf(cause),
      next: 'give the path of a file that you may read, or - and the text on standard input',
    });
  }
}

function isRead(cause: unknown): cause is NodeJS.ErrnoException {
  return cause instanceof Error && 'code' in cause && 'syscall' in cause;
}

function requireFit(input: Input, value: string): void {
  const { name, type } = input;
  try {
    // A job trims them as well.
    type.parse(value.trim());
  } catch (error) {
    const option = type.isSecret === true ? `--${name}-file (or ${variableOf(input)})` : `--${name}`;
    throw new McprtError('input-invalid', {
      what: `${option} is not ${type.expected}`,
      why: messageOf(error),
      next: `correct ${option}`,
    });
  }
}
