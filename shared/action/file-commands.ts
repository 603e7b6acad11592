/** What a step has written to one of the runner's files, as `name<<delimiter`, lines, `delimiter`. Linear in the text. */
export function parseFileCommands(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/);
  const found: [string, string][] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const [, name, delimiter] = /^([^\n<]+)<<(\S+)$/.exec(lines[at] ?? '') ?? [];
    if (name === undefined || delimiter === undefined) continue;
    const end = lines.indexOf(delimiter, at + 1);
    if (end === -1) break;
    found.push([name, lines.slice(at + 1, end).join('\n')]);
    at = end;
  }
  return Object.fromEntries(found);
}
