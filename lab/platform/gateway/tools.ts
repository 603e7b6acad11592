import * as z from 'zod';

/** One tool of an example server. */
export interface ExampleTool {
  name: string;
  description: string;
  inputSchema: { type: 'object'; properties: Record<string, { type: string }>; required: string[] };
  /** @throws Error for arguments that are none */
  run(given: unknown): string;
}

const word = z.object({ text: z.string() });
const sum = z.object({ a: z.number(), b: z.number() });
const task = z.object({ title: z.string() });
const release = z.object({ version: z.string() });

function tool<T>(
  name: string,
  description: string,
  properties: Record<string, string>,
  schema: z.ZodType<T>,
  run: (given: T) => string,
): ExampleTool {
  return {
    name,
    description,
    inputSchema: {
      type: 'object',
      properties: Object.fromEntries(Object.entries(properties).map(([key, type]) => [key, { type }])),
      required: Object.keys(properties),
    },
    run: (given) => run(schema.parse(given)),
  };
}

/** The tools of the platform's example, workspace-assistant-mcp. */
export const workspaceTools: readonly ExampleTool[] = [
  tool('aaa-ping', 'Answers pong', {}, z.object({}), () => 'pong'),
  tool('echo', 'Gives the text back', { text: 'string' }, word, ({ text }) => text),
  tool('add', 'Adds two numbers', { a: 'number', b: 'number' }, sum, ({ a, b }) => String(a + b)),
  tool('upper', 'In upper case', { text: 'string' }, word, ({ text }) => text.toUpperCase()),
  tool('lower', 'In lower case', { text: 'string' }, word, ({ text }) => text.toLowerCase()),
  tool('slugify', 'As a part of a URL', { text: 'string' }, word, ({ text }) =>
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-|-$/g, ''),
  ),
  tool('create_task', 'Makes a task', { title: 'string' }, task, ({ title }) => `created task: ${title}`),
  tool('draft_release_note', 'Drafts a note', { version: 'string' }, release, ({ version }) => `Release ${version}`),
];
