import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Call, callsIn } from '../../init/environments.js';
import { root } from '../../lab/driver/folders.js';

/** The workflows that can be called, and the examples that call them. */
export interface Texts {
  workflows: ReadonlyMap<string, string>;
  examples: readonly string[];
}

/** Reads them. */
export async function called(): Promise<Texts> {
  const textsIn = async (folder: string): Promise<Map<string, string>> => {
    const names = (await readdir(join(root, folder))).filter((name) => name.endsWith('.yml'));
    const texts = names.map(async (name) => [name, await readFile(join(root, folder, name), 'utf8')] as const);
    return new Map(await Promise.all(texts));
  };
  return {
    workflows: await textsIn(join('.github', 'workflows')),
    examples: [...(await textsIn('examples')).values()],
  };
}

/** What all examples call together. @param installs whether deployments are made by the platform's installer */
export function exampleCalls({ workflows, examples }: Texts, installs: boolean): Call[] {
  return examples
    .flatMap((text) => callsIn(text))
    .map(({ file, secrets, ...call }) => ({
      ...call,
      installs: call.installs || installs,
      secrets: [...secrets, 'MCPRT_RESTORE_KEY'],
      text: workflows.get(file) ?? '',
    }));
}
