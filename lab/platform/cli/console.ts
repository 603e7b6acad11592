/** Where a command says what it does, in the installer's looks: prefixes with ANSI colours unless NO_COLOR is set. */
export interface Console {
  info(text: string): void;
  success(text: string): void;
  warning(text: string): void;
  error(text: string): void;
  title(text: string): void;
  /** `## …` after two blank lines. */
  section(text: string): void;
  plain(text: string): void;
  stderr(text: string): void;
}

const colours = { INFO: [46, 96], SUCCESS: [42, 92], WARNING: [43, 33], ERROR: [101, 91] } as const;

export function openConsole(
  env: NodeJS.ProcessEnv,
  write: (stream: 'stdout' | 'stderr', text: string) => void,
): Console {
  const coloured = env.NO_COLOR === undefined || env.NO_COLOR === '';
  const paint = (code: number, text: string): string => (coloured ? `\u001b[${code}m${text}\u001b[0m` : text);
  const out = (text: string): void => write('stdout', `${text}\n`);
  const prefixed = (prefix: keyof typeof colours) => (text: string) => {
    const [background, foreground] = colours[prefix];
    const [first = '', ...further] = text.split('\n');
    out(`${paint(background, ` ${prefix} `)} ${paint(foreground, first)}`);
    // Further lines of a message stand under its first one.
    for (const line of further) out(`${' '.repeat(prefix.length + 3)}${paint(foreground, line)}`);
  };
  return {
    info: prefixed('INFO'),
    success: prefixed('SUCCESS'),
    warning: prefixed('WARNING'),
    error: prefixed('ERROR'),
    title: (text) => out(`\n${paint(1, `# ${text}`)}`),
    section: (text) => out(`\n\n${paint(1, `## ${text}`)}`),
    plain: out,
    stderr: (text) => write('stderr', `${text}\n`),
  };
}
