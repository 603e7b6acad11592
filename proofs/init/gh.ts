import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parsedJson } from '../../shared/json.js';

/** A call of GitHub's command line, as somebody's shell made it. */
export interface GhCall {
  words: string[];
  stdin: string;
}

/**
 * Writes down how it is called and with what on standard input, and answers like an account's number; secrets and variables that
 * were set are listed, and an environment has rules from its second time on.
 */
const recorder = `#!/bin/bash
case "$1 $2" in
"secret list") cat "$CALLS-of-$4" 2> /dev/null; ANSWERED=1;;
"variable list") cat "$CALLS-of-variables" 2> /dev/null; ANSWERED=1;;
"variable set") printf '%s\\tvalue\\n' "$3" >> "$CALLS-of-variables";;
"secret set") printf '%s\\t2026-01-01T00:00:00Z\\n' "$3" >> "$CALLS-of-$5";;
esac
case "$*" in
"api "*"/environments/"*" --jq "*) ANSWERED=1; if [ -e "$CALLS-reviewed" ]; then all="$*"; echo '{"prevent_self_review":true,"reviewers":[{"type":"Team","id":7}],'"\${all##* + \\{}"; else CODE=1; fi;;
esac
{ printf '%s\\0' "$@" | base64 -w0; printf ' '; if [ -t 0 ]; then :; else base64 -w0; fi; echo; } >> "$CALLS"
[ -n "$ANSWERED" ] || echo 1
exit \${CODE:-0}
`;
const answering = '#!/bin/sh\necho 1\n';

/** A folder for PATH in which `gh` writes down its calls, and kubectl and openssl answer something. */
export async function writeStubs(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries({ gh: recorder, kubectl: answering, openssl: answering })) {
    await writeFile(join(folder, name), text, { mode: 0o755 });
  }
  return folder;
}

export async function callsIn(file: string): Promise<GhCall[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const plain = (part: string): string => Buffer.from(part, 'base64').toString();
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [words = '', stdin = ''] = line.split(' ');
      return { words: plain(words).split('\0').slice(0, -1), stdin: plain(stdin) };
    });
}

/** Flags that a sub-command knows, and whether each has a value. */
const known: Readonly<Record<string, { flags: readonly string[]; plain: number }>> = {
  api: { flags: ['--hostname', '--method', '--input', '--jq', '-f'], plain: 1 },
  'secret list': { flags: ['--env', '--repo'], plain: 0 },
  'secret set': { flags: ['--env', '--repo'], plain: 1 },
  'secret delete': { flags: ['--env', '--repo'], plain: 1 },
  'variable list': { flags: ['--env', '--repo'], plain: 0 },
  'variable set': { flags: ['--env', '--repo', '--body'], plain: 1 },
  'workflow run': { flags: [], plain: 1 },
};

const repositoryForm = /^(?:[a-z0-9.-]+\/)?[\w.-]+\/[\w.-]+$/;
const nameForm = /^[A-Z][A-Z0-9_]*$/;
const pathForm =
  /^(?:user|repos\/[\w.-]+\/[\w.-]+\/(?:environments\/[\w-]+(?:\/deployment-branch-policies)?|rules\/branches\/[^/\s]+|rulesets))$/;

/** What is wrong with a call by the rules of the command line; empty where nothing is. */
export function faultOf({ words, stdin }: GhCall, host: string): string {
  const command = words[0] === 'api' ? 'api' : words.slice(0, 2).join(' ');
  const rule = known[command];
  if (rule === undefined) return `gh has no ${command}`;
  const values = new Map<string, string>();
  const plain: string[] = [];
  for (let index = command.split(' ').length; index < words.length; index += 1) {
    const word = words[index] ?? '';
    if (!word.startsWith('-')) plain.push(word);
    else if (!rule.flags.includes(word) || words[index + 1] === undefined) return `gh ${command} has no ${word}`;
    else values.set(word, words[++index] ?? '');
  }
  const [subject = ''] = plain;
  if (plain.length !== rule.plain) return `gh ${command} with ${JSON.stringify(plain)}`;
  if (command === 'workflow run')
    return /^(?:mcprt|staging)-[a-z-]+\.yml$/.test(subject) ? '' : `no workflow: ${subject}`;
  if (command === 'api') return apiFault(subject, values, stdin, host);
  if (rule.plain > 0 && !nameForm.test(subject)) return `no name: ${subject}`;
  const repository = values.get('--repo') ?? '';
  const isThere = host === 'github.com' || repository.startsWith(`${host}/`);
  if (!repositoryForm.test(repository) || !isThere) return `no repository on ${host}: ${repository}`;
  if (command === 'secret set' && stdin.trim() === '') return `${subject} is set from nothing`;
  if (subject === 'MCPRT_RESTORE_KEY' && command === 'secret set') {
    const keys = stdin.split('\n').filter((line) => line.trim() !== '');
    if (!keys.every((line) => /^mcprt-restore-key-1\.[\w-]+$/.test(line))) return 'a restore key is no line of its own';
  }
  if (command === 'variable set' && (values.get('--body') ?? stdin) === '') return `${subject} is set to nothing`;
  return '';
}

function apiFault(path: string, values: ReadonlyMap<string, string>, stdin: string, host: string): string {
  if (!pathForm.test(path)) return `no path: ${path}`;
  if ((values.get('--hostname') ?? 'github.com') !== host) return `${path} is not asked of ${host}`;
  if (!['GET', 'PUT', 'POST'].includes(values.get('--method') ?? 'GET')) return `no method for ${path}`;
  if (!values.has('--input')) return '';
  const body: unknown = parsedJson(stdin);
  return typeof body === 'object' && body !== null ? '' : `no JSON for ${path}: ${stdin}`;
}
