import { path } from '../shared/action/inputs.js';
import { type Action, type Input, isFlag, isKept, variableOf } from './actions.js';
import { ownOptions } from './arguments.js';
import { columns } from './table.js';

const wordsForAll = `Values: --name=value or --name value; a list is given by repeating its option. Secrets come from a file (- is standard
input) or a variable, and never from the command line. Exit codes: 0 done, 1 failed, 2 wrong use, 130 interrupted.
Page: docs/command-line.md`;

/** Help for the command. */
export function commandHelp(actions: readonly Action[], width: number): string {
  const rows = actions.map(({ name, description }) => [`  ${name}`, description]);
  rows.push(['  completion', 'Prints completion for bash, zsh or fish: source <(mcprt completion bash)']);
  return [
    'mcprt ACTION [OPERATION] [OPTIONS]: the actions of mcprt without GitHub, with the same inputs as options.',
    'Actions',
    ...listed(rows, width),
    'Options of every action',
    ...listed(ownRows(), width),
    'More: mcprt ACTION --help',
    wordsForAll,
    '',
  ].join('\n');
}

/** Help for an action, or for one operation of it. */
export function actionHelp(action: Action, operation: string | undefined, width: number): string {
  const { name, description, operations, operation: usual, operationText, inputs } = action;
  const chosen = operation ?? (usual === undefined ? 'OPERATION' : `[OPERATION]`);
  return [
    `mcprt ${name} ${chosen} [OPTIONS]`,
    ...listed([['', plain(description)]], width),
    `Operations: ${operations.join(', ')}${usual === undefined ? '' : ` (without one: ${usual})`}`,
    ...listed([['', plain(operationText)]], width),
    'Inputs',
    ...listed(inputs.map(rowOf), width),
    'Options of every action',
    ...listed(ownRows(), width),
    wordsForAll,
    '',
  ].join('\n');
}

function rowOf(input: Input): string[] {
  const { name, description, default: usual, type } = input;
  const words = type.words?.join('|') ?? (type === path ? 'PATH' : 'VALUE');
  const file = `--${name}-file PATH`;
  const option = isFlag(input) ? `--${name}` : type.isSecret === true ? file : `--${name} ${words}`;
  const notes = [
    ...(usual === '' || (isFlag(input) && usual === 'false')
      ? []
      : [isFlag(input) ? `On; --${name}=false switches it off.` : `Default: ${usual}.`]),
    ...(type.isList === true && type.words === undefined ? ['May be repeated.'] : []),
    ...(isKept(input) ? [`${type.isSecret === true ? 'Or' : `Or ${file}, or`} variable ${variableOf(input)}.`] : []),
  ];
  return [`  ${option}`, [plain(description), ...notes].join(' ')];
}

function ownRows(): string[][] {
  return ownOptions.map(({ name, value, text }) => [`  --${name}${value === '' ? '' : ` ${value}`}`, plain(text)]);
}

function listed(rows: readonly string[][], width: number): string[] {
  return columns(rows, width).flat();
}

/** Of Markdown a description has code and links. */
function plain(text: string): string {
  return text.replaceAll('`', '').replace(/\[([^[\]]{0,200})\]\([^()]{0,200}\)/g, '$1');
}
