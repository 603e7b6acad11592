import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { backupName, generationNumber, namedBy } from '../../shared/action/choice.js';
import { inShellWords, type Offered } from '../../shared/action/shell-wording.js';
import { McprtError, messageOf } from '../../shared/errors.js';
import { shellWord } from '../../shared/shell-word.js';
import type { DrillOptions } from './drill.js';
import { cancellation, drillAndTell, progress, telling } from './told.js';

const usage = `npm run drill -- --directory FOLDER [--domain DOMAIN] [--generation N | --name NAME] [--from-repository ID] [--max-age 14d] [--cert-manager VERSION] [--json]
the restore key is read from the environment variable MCPRT_RESTORE_KEY`;

/** What is drilled, and how it is told. */
interface Called extends Pick<DrillOptions, 'directory' | 'choice' | 'maxAge' | 'fromRepository' | 'certManager'> {
  json: boolean;
}

const options = {
  directory: { type: 'string' },
  domain: { type: 'string' },
  generation: { type: 'string' },
  name: { type: 'string' },
  'from-repository': { type: 'string', default: '' },
  'max-age': { type: 'string', default: '14d' },
  'cert-manager': { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

/** The drill as a command: its inputs are options, and the restore key is a variable. */
const own: Offered = {
  name: 'drill',
  operations: [],
  option(name, value) {
    if (name === 'restore-key') return 'MCPRT_RESTORE_KEY';
    if (!Object.hasOwn(options, name)) return undefined;
    return value === undefined ? `\`--${name}\`` : `\`--${name} ${shellWord(value)}\``;
  },
};
const others = ['backup', 'setup'].map((name): Offered => ({ name, operations: [], option: () => undefined }));

/** A text of the drill, or of the restore that it runs, in the words of a shell. */
export function sayInShell(text: string): string {
  return inShellWords(text, { own, all: others });
}

function readArguments(argv: readonly string[]): Called {
  try {
    const { values } = parseArgs({ args: [...argv], options });
    if (values.directory === undefined) throw new Error('--directory is missing');
    const { domain, generation = '', name = '', json, 'cert-manager': certManager } = values;
    if (certManager !== undefined && !/^\d+\.\d+\.\d+$/.test(certManager)) {
      throw new Error(`--cert-manager ${JSON.stringify(certManager)} is no version such as 1.16.2`);
    }
    const named = namedBy({ generation: generationNumber.parse(generation), name: backupName.parse(name) });
    // npm starts programs in the folder of their package, and says where it was called.
    const directory = resolve(process.env.INIT_CWD || process.cwd(), values.directory);
    const choice = { domain, ...named };
    const { 'max-age': maxAge, 'from-repository': fromRepository } = values;
    return { directory, choice, maxAge, fromRepository, json, certManager };
  } catch (cause) {
    throw new McprtError('drill-usage', { what: 'the drill was called wrongly', why: messageOf(cause), next: usage });
  }
}

/** The key, and an environment without it: nothing that is built or started here has use for it. */
function takeKey(): { restoreKey: string; rest: NodeJS.ProcessEnv } {
  const { MCPRT_RESTORE_KEY: restoreKey = '', ...rest } = process.env;
  delete process.env.MCPRT_RESTORE_KEY;
  return { restoreKey, rest };
}

/** Drills as a command does: arguments, the key in the environment, text or JSON on standard output. */
export async function drillCommand(argv: readonly string[]): Promise<void> {
  if (argv.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    return;
  }
  const work = async (): Promise<void> => {
    const { restoreKey, rest: env } = takeKey();
    const { json, ...called } = readArguments(argv);
    await drillAndTell({ ...called, restoreKey, env, progress, signal: cancellation() }, json, sayInShell);
  };
  await telling(argv.includes('--json'), work, sayInShell);
}
