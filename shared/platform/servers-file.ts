import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLMap,
} from 'yaml';
import { McprtError } from '../errors.js';
import { isRecord } from '../json.js';

/** One server of `.mcp/servers.yaml`. */
export interface ServerMetadata {
  name: string;
  /** What of it goes into an MCPServer. */
  spec: Record<string, unknown>;
  tools: ToolMetadata[];
}

export interface ToolMetadata {
  name: string;
  sideEffect: string;
  requiredTrust: string;
}

/** A mistake in the file, where it is. */
export interface MetadataProblem {
  line: number;
  text: string;
}

/** The fields of a server that go into an MCPServer as they are (contract of `pkg/metadata/schema.go`). */
const passedOn = [
  'description',
  'port',
  'replicas',
  'resources',
  'envVars',
  'secretEnvVars',
  'tools',
  'prompts',
  'tasks',
  'auth',
  'policy',
  'session',
  'gateway',
  'analytics',
  'rollout',
] as const;
/** What of them a stranger's file may say: nothing that reads a Secret, or leads elsewhere than to its own container. */
const harmless: readonly string[] = ['description', 'port', 'envVars', 'tools', 'prompts', 'tasks'];
/** Fields of the entries of its lists, as of its labels every one is a text. */
const entryFields: Readonly<Record<string, readonly string[]>> = {
  envVars: ['name', 'value'],
  tools: ['name', 'description', 'requiredTrust', 'sideEffect', 'riskLevel', 'labels'],
  prompts: ['name', 'description', 'labels'],
  tasks: ['name', 'description', 'labels'],
};
/** A metadata file of a hundred tools has some 20 KiB. In characters; and how many mistakes and names of it are told. */
const most = { text: 512 * 1024, problems: 50, names: 20 } as const;

/** Fields that name the server, or that the platform fills in itself for a server under another name. */
const known: readonly string[] = [
  ...passedOn,
  'name',
  'image',
  'imageTag',
  'route',
  'ingressHost',
  'publicPathPrefix',
  'namespace',
  'scope',
  'teamID',
  'mcpResources',
  'labels',
];
const words = { sideEffect: ['read', 'write', 'destructive'], requiredTrust: ['low', 'medium', 'high'] } as const;

/**
 * Reads a metadata file, as strict as the platform's admission is: a tool without a side effect could never be called.
 *
 * @param wanted name of the server; the only one when empty
 * @param isForeign whether somebody wrote it who may not decide what runs here (a fork)
 * @throws McprtError `smoke-metadata`, with file and lines
 */
export function readServersFile(
  text: string,
  { file, wanted, isForeign }: { file: string; wanted: string; isForeign: boolean },
): ServerMetadata {
  if (text.length > most.text) {
    throw refused(file, [{ line: 1, text: `it has more than ${most.text} characters` }]);
  }
  try {
    return readDocument(text, { file, wanted, isForeign });
  } catch (error) {
    if (error instanceof MetadataError) throw error;
    // Nested too deeply, or aliases that multiply what they stand for.
    throw refused(file, [{ line: 1, text: 'it is nested too deeply, or its aliases stand for too much' }]);
  }
}

function readDocument(
  text: string,
  { file, wanted, isForeign }: { file: string; wanted: string; isForeign: boolean },
): ServerMetadata {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter });
  const lineOf = (node: unknown): number => {
    const range = isNode(node) ? node.range : undefined;
    return range ? counter.linePos(range[0]).line : 1;
  };
  const [broken] = document.errors;
  if (broken !== undefined) {
    throw refused(file, [{ line: broken.linePos?.[0].line ?? 1, text: broken.message.split('\n')[0] ?? '' }]);
  }
  const servers = document.get('servers', true);
  const found = isSeq(servers) ? servers.items.filter((one): one is YAMLMap => isMap(one)) : [];
  if (found.length === 0) {
    throw refused(file, [{ line: lineOf(servers), text: 'there is no list `servers` with a server in it' }]);
  }
  const names = found.map((one) => String(one.get('name') ?? ''));
  const index = wanted === '' && found.length === 1 ? 0 : names.indexOf(wanted);
  const server = found[index];
  if (server === undefined) {
    const text = wanted === '' ? `it has several servers, and none was named` : `it has no server "${wanted}"`;
    throw refused(file, [
      { line: lineOf(servers), text: `${text}; there are: ${names.slice(0, most.names).join(', ')}` },
    ]);
  }
  const problems = [
    ...problemsOfServer(server, lineOf),
    ...problemsOfTools(server, lineOf),
    ...(isForeign ? foreignFields(server, document, lineOf) : []),
  ];
  if (problems.length > 0) throw refused(file, problems);
  const plain: unknown = server.toJS(document, { maxAliasCount: 100 });
  const fields = isRecord(plain) ? plain : {};
  const spec = Object.fromEntries(passedOn.flatMap((key) => (fields[key] === undefined ? [] : [[key, fields[key]]])));
  if (fields.mcpResources !== undefined) spec.mcpResources = fields.mcpResources;
  const tools = (Array.isArray(fields.tools) ? fields.tools : []).filter(isRecord).map((tool) => ({
    name: String(tool.name),
    sideEffect: String(tool.sideEffect),
    requiredTrust: typeof tool.requiredTrust === 'string' ? tool.requiredTrust : 'low',
  }));
  return { name: String(fields.name), spec, tools };
}

type LineOf = (node: unknown) => number;

function problemsOfServer(server: YAMLMap, lineOf: LineOf): MetadataProblem[] {
  const name = server.get('name');
  const problems: MetadataProblem[] = [];
  if (typeof name !== 'string' || !/^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(name)) {
    problems.push({ line: lineOf(server), text: 'a server’s `name` has lower-case letters, digits and dashes' });
  }
  for (const { key } of server.items) {
    if (isScalar(key) && !known.includes(String(key.value))) {
      problems.push({ line: lineOf(key), text: `the platform knows no field \`${String(key.value)}\`, and drops it` });
    }
  }
  return [...problems, ...hiddenFields(server, lineOf)];
}

/** Fields whose names only come about when the file is read, by an alias: no rule about names would see them. */
function hiddenFields({ items }: YAMLMap, lineOf: LineOf): MetadataProblem[] {
  return items
    .filter(({ key }) => !isScalar(key))
    .map(({ key }) => ({
      line: lineOf(key),
      text: 'the name of a field is written out, and is no alias, list or map',
    }));
}

function problemsOfTools(server: YAMLMap, lineOf: LineOf): MetadataProblem[] {
  const tools = server.get('tools', true);
  if (!isSeq(tools) || tools.items.length === 0) {
    return [{ line: lineOf(server), text: 'the server declares no `tools`: none of its tools could be called' }];
  }
  const seen = new Set<string>();
  return tools.items.flatMap((tool): MetadataProblem[] => {
    const line = lineOf(tool);
    const name = isMap(tool) ? tool.get('name') : undefined;
    if (!isMap(tool) || typeof name !== 'string' || name === '') return [{ line, text: 'a tool has no `name`' }];
    const problems = hiddenFields(tool, lineOf);
    if (seen.has(name)) problems.push({ line, text: `the tool "${name}" is there twice` });
    seen.add(name);
    const effect = tool.get('sideEffect');
    if (effect === undefined) {
      problems.push({ line, text: `the tool "${name}" has no \`sideEffect\`: every call of it would be refused` });
    }
    for (const [field, allowed] of Object.entries(words)) {
      const value = tool.get(field);
      if (value !== undefined && !(allowed as readonly unknown[]).includes(value)) {
        problems.push({
          line: lineOf(tool.get(field, true)),
          text: `${field} of the tool "${name}" is none of ${allowed.join(', ')}`,
        });
      }
    }
    return problems;
  });
}

/** Fields whose names the platform knows, and that it does not take over from the file. */
const notPassed = known.filter((name) => !(passedOn as readonly string[]).includes(name) && name !== 'mcpResources');

/**
 * What of a stranger's file is not known to be harmless. Known are names of fields and the forms of their values: whatever
 * else stands there may read a Secret, or be a field of a later version of the platform that does.
 */
function foreignFields(server: YAMLMap, document: Document, lineOf: LineOf): MetadataProblem[] {
  const problems: MetadataProblem[] = [];
  const refuse = (node: unknown, what: string): void => {
    problems.push({ line: lineOf(node), text: `${what} may not be set by a pull request from a fork` });
  };
  for (const { key, value } of server.items) {
    const name = isScalar(key) ? String(key.value) : '';
    if (notPassed.includes(name)) continue;
    const fields = entryFields[name];
    if (!harmless.includes(name)) refuse(key, `\`${name}\``);
    else if (fields === undefined) {
      if (!isScalar(value)) refuse(key, `\`${name}\` as a list or map`);
    } else if (isSeq(value)) {
      for (const entry of value.items) foreignEntry(entry, name, fields, refuse);
    } else if (!isScalar(value) || value.value !== null) refuse(key, `\`${name}\` as something else than a list`);
  }
  visit(server, {
    Alias: (_, node) => {
      if (isAlias(node))
        problems.push({ line: lineOf(node), text: 'what stands here is written out, and is no alias' });
    },
  });
  if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
    problems.push({ line: 1, text: 'the file is YAML 1.2' });
  }
  return problems;
}

function foreignEntry(
  entry: unknown,
  list: string,
  fields: readonly string[],
  refuse: (node: unknown, what: string) => void,
): void {
  if (!isMap(entry)) {
    refuse(entry, `an entry of \`${list}\` that is no map`);
    return;
  }
  for (const { key, value } of entry.items) {
    const name = isScalar(key) ? String(key.value) : '';
    const isLabels =
      name === 'labels' && isMap(value) && value.items.every((one) => isScalar(one.key) && isScalar(one.value));
    if (!fields.includes(name)) refuse(key, `\`${name}\` in \`${list}\``);
    else if (!isScalar(value) && !isLabels) refuse(key, `\`${name}\` in \`${list}\` as a list or map`);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'range' in value;
}

function refused(file: string, problems: readonly MetadataProblem[]): MetadataError {
  return new MetadataError(file, problems.slice(0, most.problems));
}

/** A metadata file that will not do. `problems` say where, for annotations. */
export class MetadataError extends McprtError {
  readonly file: string;
  readonly problems: readonly MetadataProblem[];

  constructor(file: string, problems: readonly MetadataProblem[]) {
    super('smoke-metadata', {
      what: `${file} has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}`,
      why: problems.map(({ line, text }) => `${file}:${line}: ${text}`).join('\n'),
      next: 'correct the file; `mcp-runtime server validate --metadata-dir .mcp` finds less than this',
    });
    this.file = file;
    this.problems = problems;
  }
}
