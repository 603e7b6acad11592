import { type ParseArgsConfig, parseArgs } from 'node:util';
import { type McprtError, messageOf } from './errors.js';

type Values<T extends ParseArgsConfig> = ReturnType<typeof parseArgs<T>>['values'];

/**
 * Options of a command that people run.
 *
 * @returns undefined where they are wrong, which is told with how they should be; the exit code is 2 then
 */
export function givenOptions<T extends ParseArgsConfig>(help: string, config: T): Values<T> | undefined {
  try {
    const { values, tokens } = parseArgs({ ...config, tokens: true });
    // A shell makes it of a variable that is not set: the default would be another server, folder or profile than was meant.
    const empty = tokens?.find((one) => one.kind === 'option' && one.value === '');
    if (empty?.kind === 'option') throw new Error(`${empty.rawName} has an empty value: give one, or leave it out`);
    return values as Values<T>;
  } catch (error) {
    // The help is longer than a screen: what is wrong stands where it is seen.
    process.stderr.write(`${help}\n${messageOf(error)}\n`);
    process.exitCode = 2;
    return undefined;
  }
}

/** Tells an error by which such a command ends; the exit code is 1 then. */
export function tellError({ code, message, why, next }: McprtError, reword = (text: string): string => text): void {
  process.stderr.write(reword(`${code}: ${message}\nwhy: ${why}\nnext: ${next}\n`));
  process.exitCode = 1;
}
