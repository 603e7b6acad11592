/** What a command of a shell offers in place of an action. */
export interface Offered {
  /** The action's, without `action-`. */
  name: string;
  operations: readonly string[];
  /** How an input is given there, with its value; undefined where there is none of that name. */
  option: (name: string, value: string | undefined) => string | undefined;
}

/** By what a text of an action is told in the words of a shell. */
export interface Wording {
  /** Whose text it is. */
  own: Offered;
  all: readonly Offered[];
}

/** Code that may be an input or an operation, with the action whose it is where the text says so. An output stays what it is. */
const named =
  /(?<!\boutputs? )`([a-z][a-z0-9-]{0,40})(?:: ([^`:\n]{1,200}))?`(?: of `?action-([a-z-]{1,40})(?![\w/-])`?)?/g;
/** Values that an input is to be given, each in code of its own. */
const severalValues = /(?<=\bset )`([a-z][a-z0-9-]{0,40})` to (`[^`\n]{1,200}`(?:, `[^`\n]{1,200}`){0,1000})/g;
/** What tells that a name is that of an input: an option has its dashes for it. */
const ofInput = /\bthe input `([a-z][a-z0-9-]{0,40})`/g;
/** An action by its name, and no path or address that it is part of. */
const ofAction = /(?<![\w/.@-])(`?)action-([a-z-]{1,40})(?![\w/@-]|\.\w)\1/g;

/**
 * A text of an action in the words of a shell: inputs that it names are options there, operations are words, and actions are
 * commands. Only what is code between backquotes is touched, and the names of actions.
 */
export function inShellWords(text: string, { own, all }: Wording): string {
  const called = (name: string | undefined): Offered | undefined => all.find((one) => one.name === name);
  return text
    .replace(severalValues, (found, name: string, list: string) => {
      const values = [...list.matchAll(/`([^`]+)`/g)].map(([, value]) => own.option(name, value));
      // Options side by side are one piece of code, to be pasted as it is.
      return values.includes(undefined) ? found : values.join(' ').replaceAll('` `', ' ');
    })
    .replace(ofInput, (found, name: string) => (own.option(name, undefined) === undefined ? found : `\`${name}\``))
    .replaceAll('the same inputs', 'the same options')
    .replace(named, (found, name: string, value: string | undefined, ownerName: string | undefined) => {
      const owner = called(ownerName);
      if (name === 'operation' && value !== undefined) {
        const able = owner ?? [own, ...all].find(({ operations }) => operations.includes(value));
        return able === undefined ? found : `\`mcprt ${able.name} ${value}\``;
      }
      const option = (owner ?? own).option(name, value);
      return option === undefined ? found : found.replace(/^`[^`]*`/, () => option);
    })
    .replace(ofAction, (found, _, name: string) => (called(name) === undefined ? found : `\`mcprt ${name}\``));
}
