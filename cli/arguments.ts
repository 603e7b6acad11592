import { parseArgs } from 'node:util';
import { McprtError } from '../shared/errors.js';
import { type Action, holdsSecret, type Input, isFlag, isKept, variableOf } from './actions.js';
import { misspelt, usage } from './usage.js';

/** Where the value of an input is. */
export type Given = { value: string } | { file: string };

/** Options of the command itself, which no action has. */
export interface Own {
  json: boolean;
  debug: boolean;
  /** Which repository this run is of; empty for the machine. */
  repository: string;
  'repository-id': string;
  /** The run that this one goes on with; empty for a new one. */
  resume: string;
}

/** What a command line asks for. */
export type Asked =
  | { kind: 'run'; action: Action; operation: string; given: ReadonlyMap<string, Given>; own: Own }
  | { kind: 'help'; action?: Action; operation?: string }
  | { kind: 'completion'; shell: Shell }
  | { kind: 'version' };

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

interface OwnOption {
  name: string;
  /** What its value is called; nothing for one without. */
  value: string;
  text: string;
  /** What a value must be like. */
  form?: RegExp;
}

/** The command's own options, in the order of its help. */
export const ownOptions: readonly OwnOption[] = [
  {
    name: 'json',
    value: '',
    text: 'Prints the output `result` as one JSON document, and everything else to standard error.',
  },
  { name: 'debug', value: '', text: 'Prints what a job prints with debug logging.' },
  {
    name: 'repository',
    value: 'OWNER/NAME',
    text: 'Which repository this run is of: on GitHub its name, elsewhere any two words that stay, as gitlab/1234. Without it, local/ and the name of this machine.',
    // As `from-repository` takes it.
    form: /^[\w.-]{1,100}\/[\w.%-]{1,200}$/,
  },
  {
    name: 'repository-id',
    value: 'ID',
    text: 'GitHub’s number of the repository, by which backups of its jobs are known. Without it, what --repository says.',
    form: /^\d{1,18}$/,
  },
  {
    name: 'resume',
    value: 'RUN',
    text: 'Continues with a run that was killed, by the number that its lock shows. Without it, the run is a new one.',
    form: /^\d{1,18}$/,
  },
  { name: 'help', value: '', text: 'Prints this.' },
];

/**
 * Reads a command line.
 *
 * @throws McprtError `command-usage`, `command-secret`
 */
export function readArguments(args: readonly string[], actions: readonly Action[]): Asked {
  const at = args.findIndex((word) => !word.startsWith('-'));
  const before = at === -1 ? args : args.slice(0, at);
  if (before.includes('--version')) return { kind: 'version' };
  if (at === -1) {
    if (before.some(isHelp)) return { kind: 'help' };
    throw usage('no action is given', 'the first word says which', `give one of ${wordsOf(actions)}`);
  }
  const [word = '', ...rest] = args.slice(at);
  if (word === 'completion') return completionFor(rest);
  const action = actions.find(({ name }) => name === word);
  if (action === undefined) {
    const { shown, hint } = misspelt(
      word,
      actions.map(({ name }) => name),
      operationsOf(word, actions),
    );
    const next = `${hint}The actions are ${wordsOf(actions)}`;
    throw usage(`there is no action${shown}`, 'the first word of the command says which', next);
  }
  return readOptions([...before, ...rest], action, actions);
}

function readOptions(args: readonly string[], action: Action, actions: readonly Action[]): Asked {
  const options = optionsOf(action);
  const { tokens } = parseArgs({
    args: [...args],
    // One letter is no option but `-h`.
    options: Object.fromEntries(
      [...options].map(([name, { isFlag: none }]) => [name, { type: none ? 'boolean' : 'string' }]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const positionals = tokens.flatMap((token) => (token.kind === 'positional' ? [token.value] : []));
  const [word, further] = positionals;
  if (tokens.some((token) => token.kind === 'option' && isHelp(token.rawName))) {
    return {
      kind: 'help',
      action,
      ...(word !== undefined && action.operations.includes(word) ? { operation: word } : {}),
    };
  }
  const given = new Map<string, Given>();
  const own: Own = { json: false, debug: false, repository: '', 'repository-id': '', resume: '' };
  const seen = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== 'option') continue;
    const { name, rawName, value } = token;
    const option = rawName.startsWith('--') ? options.get(name) : undefined;
    if (option === undefined) throw unknown(rawName, action, options);
    const text = valueFor(option, { value, isInline: token.inlineValue === true }, options);
    const target = option.input?.name ?? name;
    const isRepeated = seen.has(target) || given.has(target);
    if (isRepeated && option.input?.type.isList !== true) {
      throw usage(
        `--${name} is given twice`,
        'it has one value',
        `give it once${option.input && isKept(option.input) ? ', as a file or as a value' : ''}`,
      );
    }
    seen.add(target);
    if (option.input === undefined) Object.assign(own, { [name]: ownValue(name, text) });
    else given.set(target, put(option, text, given.get(target)));
  }
  const operation = operationFor(action, word, actions);
  if (further !== undefined) {
    const next = 'give each value behind its option; a flag takes its value as in --dry-run=false';
    throw usage('there is a word too many', 'only the action and its operation stand alone', next);
  }
  return { kind: 'run', action, operation, given, own };
}

interface Option {
  /** As it is written, without dashes. */
  name: string;
  isFlag: boolean;
  /** The input that it gives; undefined for an option of the command. */
  input: Input | undefined;
  isFile: boolean;
}

/** Every option of an action, by its name. */
export function optionsOf({ inputs }: Action): Map<string, Option> {
  const ofInputs = inputs.flatMap((input): Option[] => [
    { name: input.name, isFlag: isFlag(input), input, isFile: false },
    ...(isKept(input) ? [{ name: `${input.name}-file`, isFlag: false, input, isFile: true }] : []),
  ]);
  const ofCommand = ownOptions.map(
    ({ name, value }): Option => ({ name, isFlag: value === '', input: undefined, isFile: false }),
  );
  return new Map([...ofInputs, ...ofCommand].map((option) => [option.name, option]));
}

function operationFor(action: Action, word: string | undefined, actions: readonly Action[]): string {
  const { name, operations, operation } = action;
  if (word === undefined && operation !== undefined) return operation;
  if (word !== undefined && operations.includes(word)) return word;
  const told = `the operations of ${name} are ${operations.join(', ')}`;
  if (word === undefined) throw usage('no operation is given', `${name} has none by default`, told);
  const { shown, hint } = misspelt(word, operations, meantBehind(action, word, actions));
  throw usage(`${name} has no operation${shown}`, 'the word behind the action says what to do', `${hint}${told}`);
}

/** What a word behind an action may be that is no operation of it: a value of an option, what a flag does, an operation of another. */
function meantBehind(action: Action, word: string, actions: readonly Action[]): string[] {
  const elsewhere = operationsOf(word, actions);
  const values = action.inputs.flatMap((input) =>
    input.type.words?.includes(word) ? [`--${input.name} ${word}`] : [],
  );
  const own = [...values, ...(elsewhere.length > 0 ? flagsAbout(word, action) : [])];
  return own.length > 0 ? own.map((one) => `mcprt ${action.name} ${one}`) : elsewhere;
}

/** The operations of that name, as they are written. */
function operationsOf(word: string, actions: readonly Action[]): string[] {
  return actions.flatMap(({ name, operations }) => (operations.includes(word) ? [`mcprt ${name} ${word}`] : []));
}

/** Flags by which an action does what a word of the command says, by what they are described with: it `plans`. */
function flagsAbout(word: string, { inputs }: Action): string[] {
  return inputs.flatMap((input) =>
    isFlag(input) && wordsIn(input.description).includes(`${word}s`) ? [`--${input.name}`] : [],
  );
}

function wordsIn(text: string): string[] {
  return text.toLowerCase().split(/[^a-z0-9-]+/);
}

function valueFor(
  { name, isFlag: none, input, isFile }: Option,
  { value, isInline }: { value: string | undefined; isInline: boolean },
  options: ReadonlyMap<string, Option>,
): string {
  if (none) return value ?? 'true';
  const isOption = !isInline && value?.startsWith('--') === true && options.has(value.slice(2).split('=')[0] ?? '');
  if (value === undefined || isOption) {
    throw usage(
      `--${name} has no value`,
      'another option follows it, or nothing',
      `give its value, as --${name}=VALUE`,
    );
  }
  if (input !== undefined && !isFile && holdsSecret(input, value)) {
    throw new McprtError('command-secret', {
      what: `--${name} was given a secret on the command line`,
      why: 'every process of this machine can read it there, and the shell keeps it in its history',
      next: `give it in the variable ${variableOf(input)}, as a file with --${name}-file PATH, or on standard input with --${name}-file -; if others are on this machine, make a new one`,
    });
  }
  if (isFile && value === '')
    throw usage(`--${name} names no file`, 'its value is empty', 'give a path, or - for standard input');
  return value;
}

function ownValue(name: string, text: string): string | boolean {
  const { value, form } = ownOptions.find((one) => one.name === name) ?? { value: '' };
  if (value !== '') {
    if (form?.test(text) !== false) return text;
    throw usage(`--${name} is not ${value}`, 'it has another form', `see \`mcprt --help\``);
  }
  if (text === 'true' || text === 'false') return text === 'true';
  throw usage(`--${name} takes no value`, 'it is a flag', `leave the value out`);
}

function put({ input, name, isFile }: Option, text: string, before: Given | undefined): Given {
  if (before === undefined) return isFile ? { file: text } : { value: text };
  // Of a list: one value a line.
  if (!isFile && 'value' in before) return { value: `${before.value}\n${text}` };
  throw usage(
    `--${name} is given in two ways`,
    'a file holds all values',
    `give --${input?.name} or --${input?.name}-file`,
  );
}

function unknown(rawName: string, action: Action, options: ReadonlyMap<string, Option>): McprtError {
  const name = rawName.replace(/^--?/, '');
  const negated = options.get(name.replace(/^no-/, ''));
  const { shown, hint } = misspelt(
    `--${name}`,
    [...options.keys()].map((one) => `--${one}`),
  );
  const isNegated = name.startsWith('no-') && negated?.isFlag === true;
  return usage(
    `${action.name} has no option${shown}`,
    'options are the inputs of the action',
    `${isNegated ? `give --${negated.name}=false. ` : hint}\`mcprt ${action.name} --help\` lists them`,
  );
}

function completionFor([word = '', ...rest]: readonly string[]): Asked {
  if ([word, ...rest].some(isHelp)) return { kind: 'help' };
  const shell = shells.find((one) => one === word);
  if (shell !== undefined && rest.length === 0) return { kind: 'completion', shell };
  throw usage('there is no completion for that', 'one word behind it names a shell', `give ${shells.join(', ')}`);
}

function isHelp(word: string): boolean {
  return word === '--help' || word === '-h';
}

function wordsOf(actions: readonly Action[]): string {
  return [...actions.map(({ name }) => name), 'completion'].join(', ');
}
