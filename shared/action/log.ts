import * as core from '@actions/core';
import type { InstallerLog } from '../setup/installer.js';
import { AnnotationCount, type Kind } from './annotations.js';
import { fitOutputs } from './fit-outputs.js';
import { hidden, hide, telling } from './mask.js';

/** Of one text from outside no more goes into the log, in characters. */
const longest = 32 * 1024;
/** What a reader of a log or of Markdown takes for the end of a line, the runner among them. */
const lineEnds = /\r\n|[\n\v\f\r\u0085\u2028\u2029]/;
/** Characters that show nothing, but change what is shown: those of a terminal, and those that turn the direction of writing. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is taken out
const unshown = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** Foreign text as lines of plain characters: whole, and of at most so many characters. */
export function linesOf(text: string, most = longest): string[] {
  const cut = text.length > most ? `${text.slice(0, most)}…` : text;
  return cut
    .toWellFormed()
    .split(lineEnds)
    .map((line) => line.replace(unshown, ''));
}

/** Foreign text as one line of plain characters. */
export function lineOf(text: string, most: number): string {
  return linesOf(text, most).join(' ');
}

/**
 * Text from anywhere (a cluster, an installer, a tool, an error) as the log shows it: without secrets, of limited length,
 * and with no line that the runner takes for a command, at the beginning of a line or after `##`. Linear in the text.
 */
export function plainLines(text: string): string {
  // What is cut off may end in half of a secret: it is hidden before.
  return linesOf(hide(text.slice(0, 2 * longest)))
    .map((line) => (line.trimStart().startsWith('::') ? line.replace('::', ': :') : line).replaceAll('##[', '## ['))
    .join('\n');
}

type Annotation = (text: string, properties?: core.AnnotationProperties) => void;

const { error, warning, notice } = core;
const write = { error, warning, notice } as const;
let count = new AnnotationCount();

function annotation(kind: Kind, isEnd = false): Annotation {
  return (text, properties) => {
    if (count.takes(kind, isEnd)) write[kind](plainLines(text), properties && hidden(properties));
    else core.info(plainLines(`${[kind, properties?.title, placeOf(properties)].filter(Boolean).join(': ')}: ${text}`));
  };
}

function placeOf({ file, startLine }: core.AnnotationProperties = {}): string {
  return file === undefined ? '' : `${file}${startLine === undefined ? '' : `:${startLine}`}`;
}

/** Tells at the end of a step how many annotations GitHub would not have shown; they are in the log. */
export function endAnnotations(): void {
  for (const { kind, text } of count.missing()) write[kind](text);
  count = new AnnotationCount();
}

/** The log of the step. Nothing else writes to it: what is told here has no secret in it, and no command. */
export const log = {
  info: (text: string): void => core.info(plainLines(text)),
  /** Shown where debug logs are switched on. */
  debug: (text: string): void => core.debug(plainLines(text)),
  notice: annotation('notice'),
  warning: annotation('warning'),
  error: annotation('error'),
  /** What has ended the step: it has a place among the errors that GitHub shows. */
  failure: annotation('error', true),
} as const;

/**
 * Outputs of the step, none longer than GitHub takes and without what this process knows to be secret. They are names and addresses for other steps, and a
 * short value of a Secret may be such a word: only what is long enough to be no word is taken out.
 */
export function setOutputs(outputs: Readonly<Record<string, string | number | boolean>>): void {
  const shown = Object.entries(outputs).map(
    ([name, value]) => [name, typeof value === 'string' ? hide(value, telling) : value] as const,
  );
  for (const [name, value] of Object.entries(fitOutputs(Object.fromEntries(shown)))) core.setOutput(name, value);
}

/** A log that is folded by step, as the runner shows groups. */
export function foldedLog(): InstallerLog {
  let open = false;
  return {
    step(title) {
      if (open) core.endGroup();
      core.startGroup(plainLines(lineOf(title, 200)));
      open = true;
    },
    line: log.info,
    end() {
      if (open) core.endGroup();
      open = false;
    },
  };
}
