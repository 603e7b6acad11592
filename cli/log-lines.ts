import { commandIn } from '../shared/action/workflow-command.js';
import { withPages } from '../shared/pages.js';
import { asOptions, type Wording } from './remedies.js';

/** What a line of a step's log is for a terminal. */
export interface Line {
  kind: 'secret' | 'debug' | 'plain' | 'title' | 'notice' | 'warning' | 'error';
  text: string;
}

/**
 * Reads a line that a step has printed; nothing where it says nothing to people.
 *
 * @param home folder of this release, with its pages
 */
export function lineFor(printed: string, wording: Wording, home: string): Line | undefined {
  const command = commandIn(printed);
  // Of annotations that are too many the log has the rest as plain lines.
  if (command === undefined) return { kind: 'plain', text: asOptions(printed, wording) };
  const { name, text, properties } = command;
  switch (name) {
    case 'add-mask':
      return { kind: 'secret', text };
    case 'debug':
      return { kind: 'debug', text };
    case 'group':
      return { kind: 'title', text };
    case 'notice':
    case 'warning':
    case 'error': {
      const place = [properties.file, properties.line].filter(Boolean).join(':');
      const code = (properties.title ?? '').split(': ').at(-1);
      const label = [name, code && `(${code})`, place].filter(Boolean).join(' ');
      const [first, ...more] = withPages(asOptions(text, wording), home).split('\n');
      return { kind: name, text: [`${label}: ${first}`, ...more.map((line) => `  ${line}`)].join('\n') };
    }
    default:
      return undefined;
  }
}
