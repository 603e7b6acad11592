import { type ParseArgsConfig, parseArgs } from 'node:util';
import { letReadersGo } from '../../shared/closed-pipe.js';
import { messageOf } from '../../shared/errors.js';

type Parsed<T extends ParseArgsConfig> = ReturnType<typeof parseArgs<T>>;

/**
 * Options and arguments of a command of this repository. It ends the process with the usage: code 0 where `--help` asks
 * for it, code 2 where an option is none of the command's.
 */
export function commandLine<T extends ParseArgsConfig>(usage: string, config: T): Parsed<T> {
  letReadersGo(process.stdout, process.stderr);
  if (process.argv.slice(2).some((word) => word === '--help' || word === '-h')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs(config);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${usage}\n`);
    process.exit(2);
  }
}
