import { shellWord } from '../shared/shell-word.js';
import { type Action, variableOf } from './actions.js';

/** By what a text of an action is told in the words of the command line. */
export interface Wording {
  action: Action;
  actions: readonly Action[];
}

/** Code that may be an input or an operation, with the action whose it is where the text says so. An output stays what it is. */
const named =
  /(?<!\boutputs? )`([a-z][a-z0-9-]{0,40})(?:: ([^`:\n]{1,200}))?`(?: of `?action-([a-z-]{1,40})(?![\w/-])`?)?/g;
/** An action by its name, and no path or address that it is part of. */
const ofAction = /(?<![\w/.@-])(`?)action-([a-z-]{1,40})(?![\w/@-]|\.\w)\1/g;

/**
 * A text of an action in the words of the command line: inputs that it names are options there, operations are words, and
 * actions are commands. Only what is code between backquotes is touched, and the names of actions.
 */
export function asOptions(text: string, { action, actions }: Wording): string {
  return text
    .replace(named, (found, name: string, value: string | undefined, owner: string | undefined) => {
      const own = actions.find((one) => one.name === owner);
      if (name === 'operation' && value !== undefined) {
        const able = (own ? [own] : [action, ...actions]).find(({ operations }) => operations.includes(value));
        return able === undefined ? found : `\`mcprt ${able.name} ${value}\``;
      }
      const option = optionOf(own ?? action, name, value);
      return option === undefined ? found : found.replace(/^`[^`]*`/, () => option);
    })
    .replace(ofAction, (found, _, name: string) =>
      actions.some((one) => one.name === name) ? `\`mcprt ${name}\`` : found,
    );
}

/** How an input is given, with its value; undefined where the action has no such input. */
function optionOf({ inputs }: Action, name: string, value: string | undefined): string | undefined {
  const input = inputs.find((one) => one.name === name);
  if (input === undefined) return undefined;
  if (input.type.isSecret === true) return `\`--${name}-file\` (or ${variableOf(input)})`;
  if (value === undefined || value === 'true') return `\`--${name}\``;
  return value === 'false' ? `\`--${name}=false\`` : `\`--${name} ${shellWord(value)}\``;
}

/** A page or file of this release, as texts name it. */
const page = /(?<![\w/.-])docs\/(?=[\w/-]{1,80}\.(?:md|yaml)\b)/g;

/**
 * A text with the pages that it names where they are on this machine.
 *
 * @param home folder of this release
 */
export function withPages(text: string, home: string): string {
  return text.replace(page, () => `${home}/docs/`);
}
