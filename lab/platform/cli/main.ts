import { messageOf } from '../../../shared/errors.js';
import { openConsole } from './console.js';
import { doctor, doctorFlags } from './doctor.js';
import { CliError, UsageError } from './errors.js';
import { type Flag, usageOf } from './flags.js';
import { readSettings } from './settings.js';
import { type Surroundings, setup } from './setup.js';
import { setupFlags } from './setup-flags.js';
import { status } from './status.js';

interface Command {
  words: readonly string[];
  flags: readonly Flag[];
  run(argv: readonly string[], surroundings: Surroundings): Promise<void>;
}

const commands: readonly Command[] = [
  { words: ['setup'], flags: setupFlags, run: setup },
  { words: ['cluster', 'doctor'], flags: doctorFlags, run: doctor },
  { words: ['status'], flags: [], run: status },
];
const version = 'mcp-runtime version dev (commit: none, built: unknown)';

const write = (stream: 'stdout' | 'stderr', text: string): void => void process[stream].write(text);

const argv = process.argv.slice(2);
const command = commands.find(({ words }) => words.every((word, index) => argv[index] === word));
try {
  if (argv[0] === '--version') {
    write('stdout', `${version}\n`);
  } else if (command === undefined) {
    throw new CliError(`unknown command "${argv.join(' ')}" for "mcp-runtime"`);
  } else {
    const rest = argv.slice(command.words.length);
    if (rest.includes('--help')) {
      write('stdout', usageOf(command.words.join(' '), command.flags));
    } else {
      await command.run(rest, {
        env: process.env,
        folder: process.cwd(),
        settings: readSettings(process.env),
        console: openConsole(process.env, write),
      });
    }
  }
} catch (error) {
  write('stderr', `Error: ${messageOf(error)}\n`);
  if (command === undefined) write('stderr', "Run 'mcp-runtime --help' for usage.\n");
  if (error instanceof UsageError && command) write('stderr', `${usageOf(command.words.join(' '), command.flags)}\n`);
  process.exitCode = 1;
}
