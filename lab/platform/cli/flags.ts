import { UsageError } from './errors.js';

export interface Flag {
  name: string;
  kind: 'string' | 'bool';
  /** Variables that give the value when the flag is not there; the first one that is not empty wins. */
  env: readonly string[];
  usage: string;
}

/** Flags as cobra reads them: `--name value`, `--name=value`, switches without a value, anywhere among the arguments. */
export function parseFlags(flags: readonly Flag[], argv: readonly string[]): Map<string, string> {
  const values = new Map<string, string>();
  for (let index = 0; index < argv.length; index += 1) {
    const argument = argv[index] ?? '';
    if (argument === '--') break;
    if (!argument.startsWith('-') || argument === '-') continue;
    if (!argument.startsWith('--')) {
      throw new UsageError(`unknown shorthand flag: '${argument[1]}' in ${argument}`);
    }
    const [, name = '', given] = /^--([^=]*)(?:=([\s\S]*))?$/.exec(argument) ?? [];
    const flag = flags.find((one) => one.name === name);
    if (flag === undefined) {
      throw new UsageError(`unknown flag: --${name}`);
    }
    if (flag.kind === 'bool') {
      values.set(name, String(parseBool(name, given ?? 'true')));
    } else if (given !== undefined) {
      values.set(name, given);
    } else {
      index += 1;
      const next = argv[index];
      if (next === undefined) throw new UsageError(`flag needs an argument: --${name}`);
      values.set(name, next);
    }
  }
  return values;
}

/** The value of a flag, else of its variables, else empty. */
export function flagValue(flag: Flag, given: ReadonlyMap<string, string>, env: NodeJS.ProcessEnv): string {
  const fromFlag = given.get(flag.name);
  if (fromFlag !== undefined) return fromFlag;
  const fromEnv = flag.env.map((name) => env[name] ?? '').find((value) => value !== '') ?? '';
  return flag.kind === 'bool' ? String(fromEnv === '1' || fromEnv === 'true') : fromEnv;
}

/** cobra's usage block. */
export function usageOf(command: string, flags: readonly Flag[]): string {
  const width = Math.max(...flags.map(({ name, kind }) => name.length + (kind === 'string' ? 7 : 0)));
  const lines = flags.map(
    ({ name, kind, usage }) => `      --${`${name}${kind === 'string' ? ' string' : ''}`.padEnd(width)}   ${usage}`,
  );
  return `Usage:\n  mcp-runtime ${command} [flags]\n\nFlags:\n${lines.join('\n')}\n`;
}

/** Go's strconv.ParseBool. */
function parseBool(name: string, text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw new UsageError(
    `invalid argument "${text}" for "--${name}" flag: strconv.ParseBool: parsing "${text}": invalid syntax`,
  );
}
