import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import * as backup from '../action-backup/src/inputs.js';
import * as rollout from '../action-rollout/src/inputs.js';
import * as setup from '../action-setup/src/inputs.js';
import * as smokeTest from '../action-smoke-test/src/inputs.js';
import { asOptions } from '../cli/remedies.js';
import { actions as offered } from '../cli/testing/actions.js';
import { root } from '../lab/driver/folders.js';
import type { InputType } from '../shared/action/inputs.js';

interface Action {
  inputTypes: Readonly<Record<string, InputType<unknown>>>;
  outputNames: readonly string[];
}

const actions: Readonly<Record<string, Action>> = {
  'action-backup': backup,
  'action-setup': setup,
  'action-rollout': rollout,
  'action-smoke-test': smokeTest,
};
const all = Object.keys(actions);

/** Whose inputs a text of a folder may name: those of the actions that end up showing it. The first that fits counts. */
const readers: readonly [RegExp, readonly string[]][] = [
  [/^action-[a-z-]+(?=\/)/, []],
  [/^shared\/(?:backup|wipe)\//, ['action-backup']],
  [/^shared\/setup\//, ['action-setup']],
  [/^shared\/rollout\//, ['action-rollout']],
  [/^shared\/smoke\//, ['action-smoke-test']],
];
/** What setup shows of a restore that it makes itself. */
const ofSetupToo = /^shared\/backup\/(?:select|walk|seal|statement|archive)\.ts$/;

/** Keys of a workflow, of a kubeconfig, or of a permission: no input of ours. */
const otherKeys = ['actions', 'cache-mode', 'insecure-skip-tls-verify', 'issues', 'permissions'];
/** Words in code that are not ours to define: of Kubernetes, GitHub, the platform, a shell, or values of an input. */
const otherWords = [
  ...[
    'backup',
    'bind',
    'create',
    'default',
    'escalate',
    'get',
    'read',
    'write',
    'wipe',
    'none',
    'certificate-authority-data',
  ],
  ...[
    'mcp-runtime',
    'mcp-sentinel',
    'mcp-sentinel-config',
    'registry',
    'registry-admin-auth',
    'bundled-https',
    'disabled',
    'org',
    'public',
    'traefik-dynamic',
    'traefik-plugin-pii-redactor',
  ],
  ...[
    'description',
    'port',
    'policy',
    'prompts',
    'servers',
    'session',
    'tasks',
    'tools',
    'dig',
    'date',
    'init',
    'auto',
    'from',
    'origin',
    'localhost',
  ],
  // Fields of a kubeconfig, and of k3s' configuration.
  ...['as', 'as-groups', 'proxy-url', 'tls-san', 'tls-server-name'],
  ...[
    'check',
    'fetch',
    'install',
    'restore',
    'rollout',
    'verify',
    'health',
    'multitenancy',
    'tenant',
    'nothing-to-back-up',
  ],
];

/** A piece of code in a text for people. */
interface Span {
  where: string;
  /** Actions that show it, of which each must have it; one of all is enough where that is anybody's guess. */
  readers: readonly string[];
  code: string;
  /** The text around it. */
  text: string;
}

function readersOf(file: string): readonly string[] {
  for (const [folder, names] of readers) {
    const own = folder.exec(file)?.[0];
    if (own !== undefined)
      return names.length === 0 ? [own] : [...names, ...(ofSetupToo.test(file) ? ['action-setup'] : [])];
  }
  return all;
}

/** Lines with a command that is not code. */
function commandsInText(source: string): string[] {
  const commands =
    /(?<![`\w/-])kubectl (?:[a-z]+ )?(?:get|describe|logs|scale|rollout|delete|patch|create|apply|annotate|label)\b/;
  return source
    .split('\n')
    .filter((line) => commands.test(line) || /(?:[:?]|=>) `kubectl [^'`\\]*\$\{/.test(line))
    .map((line) => line.trim());
}

/** The sources of what people are shown, without comments. */
async function shownSources(): Promise<[file: string, source: string][]> {
  const files = (await readdir(root, { recursive: true })).filter(
    (file) =>
      /^(?:cli|init|shared|action-[a-z-]+\/src|lab\/drill)\/.*\.ts$/.test(file) &&
      !/\.test\.ts$|\/testing\//.test(file),
  );
  return Promise.all(
    files.map(async (file) => {
      const source = await readFile(join(root, file), 'utf8');
      return [file, source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')];
    }),
  );
}

/** All strings with code in the sources of what people are shown. */
async function textsOfSources(): Promise<[file: string, text: string][]> {
  return (await shownSources()).flatMap(([file, code]) => {
    const plain = [...code.matchAll(/'((?:[^'\\\n]|\\.)*`(?:[^'\\\n]|\\.)*)'/g)].map(([, text = '']) => text);
    const templates = [...code.matchAll(/`((?:[^`\\]|\\[\s\S])*\\`(?:[^`\\]|\\[\s\S])*)`/g)].map(([, text = '']) =>
      text.replaceAll('\\`', '`'),
    );
    return [...plain, ...templates].map((text): [string, string] => [file, text]);
  });
}

/** All code in them. */
async function spansOfSources(): Promise<Span[]> {
  return (await textsOfSources()).flatMap(([file, text]) => spansIn(text, file, readersOf(file)));
}

/** A text as the command line tells it, for each action that shows it. */
function inShells(text: string, file: string): string[] {
  const shown = offered.filter(({ name }) => readersOf(file).includes(`action-${name}`));
  return [...new Set(shown.map((action) => asOptions(text, { action, actions: offered })))];
}

/** Whether a text names what only a job has, or a command that has another within. */
function isOfJob(text: string): boolean {
  return /`operation: [a-z]|(?<![\w/.@-])action-(?:backup|setup|rollout|smoke-test)(?![\w/-])|`mcprt [a-z-]+` with `mcprt /.test(
    text,
  );
}

function spansIn(text: string, where: string, shownBy: readonly string[]): Span[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, code = '']) => ({ where, readers: shownBy, code, text }));
}

/** The entries of the page, by code. */
async function entries(): Promise<Map<string, string>> {
  const page = await readFile(join(root, 'docs', 'troubleshooting.md'), 'utf8');
  return new Map(
    [...page.matchAll(/^### `([a-z0-9-]+)`\n\n([\s\S]*?)(?=\n### |$(?![\s\S]))/gm)].map(([, code = '', text = '']) => [
      code,
      text,
    ]),
  );
}

/** What is wrong with a piece of code; undefined where it is there, or is nothing of ours. */
function mistakeIn(span: Span, codes: ReadonlySet<string>): string | undefined {
  if (span.readers.length === all.length) return mistakeFor(all, span, codes);
  return span.readers.map((one) => mistakeFor([one], span, codes)).find((mistake) => mistake !== undefined);
}

function mistakeFor(shownBy: readonly string[], { code, text }: Span, codes: ReadonlySet<string>): string | undefined {
  const own = shownBy.flatMap((name) => actions[name] ?? []);
  // A text may send its reader to another action, which it names then.
  const named = Object.entries(actions).flatMap(([name, action]) => (text.includes(name) ? [action] : []));
  const meant = [...own, ...named];
  const has = (input: string): boolean => meant.some(({ inputTypes }) => Object.hasOwn(inputTypes, input));
  const [, key = '', value = ''] = /^([a-z][a-z-]*): (.+)$/.exec(code) ?? [];
  if (key !== '') {
    if (otherKeys.includes(key)) return undefined;
    if (!has(key)) return `no input \`${key}\``;
    // What is put in by the program is put in as the input takes it.
    if (value.includes('${') || value.startsWith('…')) return undefined;
    return meant.some(({ inputTypes }) => takes(inputTypes[key], value))
      ? undefined
      : `\`${key}\` does not take ${value}`;
  }
  if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(code) || otherWords.includes(code) || codes.has(code)) return undefined;
  if (all.includes(code) || meant.some(({ outputNames }) => outputNames.includes(code))) return undefined;
  return has(code) ? undefined : `no input \`${code}\``;
}

function takes(type: InputType<unknown> | undefined, value: string): boolean {
  try {
    type?.parse(value);
    return type !== undefined;
  } catch {
    return false;
  }
}

describe('a remedy', () => {
  it('of the page names inputs, values and operations that there are', async () => {
    const texts = await entries();
    const codes = new Set(texts.keys());
    const spans = [...texts].flatMap(([code, text]) => spansIn(text, code, all));
    expect(spans.length).toBeGreaterThan(150);
    expect(spans.flatMap((span) => mistakeIn(span, codes)?.concat(` in ${span.where}`) ?? [])).toEqual([]);
  });

  it('of an error or a finding names those of the action that shows it', async () => {
    const codes = new Set((await entries()).keys());
    const spans = await spansOfSources();
    expect(spans.length).toBeGreaterThan(250);
    expect(
      spans.flatMap((span) => mistakeIn(span, codes)?.concat(` in ${span.where}: ${span.text.slice(0, 80)}`) ?? []),
    ).toEqual([]);
  });

  it('is told in a shell with its own operations and commands, each once', async () => {
    const texts = (await textsOfSources()).filter(([file]) => !/^(?:init|cli|lab)\//.test(file));
    const told = texts.flatMap(([file, text]) => inShells(text, file).map((one) => `${file}: ${one}`));
    expect(told.filter((one) => /mcprt /.test(one)).length).toBeGreaterThan(30);
    expect(told.filter(isOfJob)).toEqual([]);
  });

  it.each([
    ['run `operation: dance`', true],
    ['use action-backup with `operation: restore`', true],
    ['run `operation: plan` of action-backup, or action-setup', false],
  ])('that a shell does not have is found: %s', (text, wanted) => {
    expect(inShells(text, 'action-backup/src/x.ts').some(isOfJob)).toBe(wanted);
  });

  it('has each command of a shell as code, which can be copied', async () => {
    // What init writes is a script of such commands.
    const sources = (await shownSources()).filter(([file]) => !file.startsWith('init/'));
    expect(sources.flatMap(([file, source]) => commandsInText(source).map((line) => `${file}: ${line}`))).toEqual([]);
    expect(commandsInText("next: 'kubectl get pods'")).toEqual(["next: 'kubectl get pods'"]);
    expect(commandsInText("next: '`kubectl get pods`', other: `\\`kubectl get pods\\``")).toEqual([]);
  });

  it.each([
    ['`no-such-input`', 'no input `no-such-input`'],
    ['set `no-such: true`', 'no input `no-such`'],
    ['`operation: mend`', '`operation` does not take mend'],
    ['`allow: everything`', '`allow` does not take everything'],
    ['`max-orders: many`', '`max-orders` does not take many'],
  ])('that promises what is not there is found: %s', (text, mistake) => {
    const [span] = spansIn(text, 'shared/backup/x.ts', ['action-backup']);
    expect(span && mistakeIn(span, new Set())).toBe(mistake);
  });
});

describe('what to do, as a summary shows it', () => {
  it('keeps its commands as code', async () => {
    const folders = [...all.map((action) => join(action, 'src')), join('shared', 'action'), join('lab', 'drill')];
    const names = await Promise.all(
      folders.map(async (folder) => (await readdir(join(root, folder))).map((name) => join(folder, name))),
    );
    const files = names.flat().filter((name) => /(?<!\.test)\.ts$/.test(name));
    expect(files.length).toBeGreaterThan(30);
    for (const file of files) {
      const text = await readFile(join(root, file), 'utf8');
      // To escape a text makes its backquotes visible.
      expect(`${file}: ${/escaped\((?:(?!withCode)[^\n])*(?:remedy|\bnext\b)/.exec(text)?.[0] ?? ''}`).toBe(
        `${file}: `,
      );
    }
  });
});
