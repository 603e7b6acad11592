/** A line by which a step tells the runner something, such as `::error title=setup%3A code::text`. */
export interface WorkflowCommand {
  name: string;
  properties: Readonly<Record<string, string>>;
  text: string;
}

/** Reads a line of a step's output; undefined where it is no command. */
export function commandIn(line: string): WorkflowCommand | undefined {
  const [, name, properties = '', text = ''] = /^::([a-z-]+)(?: ([^:]*))?::(.*)$/s.exec(line) ?? [];
  if (name === undefined) return undefined;
  const pairs = properties.split(',').flatMap((pair): [string, string][] => {
    const equals = pair.indexOf('=');
    return equals === -1 ? [] : [[pair.slice(0, equals), unescaped(pair.slice(equals + 1))]];
  });
  return { name, properties: Object.fromEntries(pairs), text: unescaped(text) };
}

const escapes: Readonly<Record<string, string>> = { '%0D': '\r', '%0A': '\n', '%3A': ':', '%2C': ',', '%25': '%' };

function unescaped(text: string): string {
  return text.replace(/%(?:0D|0A|3A|2C|25)/g, (one) => escapes[one] ?? one);
}
