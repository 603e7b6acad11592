import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { root } from '../driver/folders.js';

interface StandIn {
  inputs: Readonly<Record<string, string>>;
  outputs?: readonly string[];
}

/** Actions of others that the workflows use, stood in for as far as they are used: no machine of a lab can fetch them. */
const standIns: Readonly<Record<string, StandIn>> = {
  checkout: {
    inputs: { repository: '', ref: '', path: '', token: '', 'persist-credentials': 'true' },
    outputs: ['ref', 'commit'],
  },
  'setup-go': { inputs: { 'go-version': '', 'go-version-file': '', cache: 'true' } },
  'upload-artifact': { inputs: { name: 'artifact', path: '', 'retention-days': '' }, outputs: ['artifact-id'] },
  'download-artifact': { inputs: { name: '', path: '', 'run-id': '', 'github-token': '' } },
};

/**
 * Writes the stand-ins of other people's actions.
 *
 * @param folder one folder of its own below it for each
 * @returns their folders by the name of the action, as `actions/setup-go`
 */
export async function writeActions(folder: string): Promise<ReadonlyMap<string, string>> {
  const written = await Promise.all(
    Object.entries(standIns).map(async ([name, { inputs, outputs = [] }]): Promise<[string, string]> => {
      const home = join(folder, name);
      const code = join(root, 'build', 'lab', 'engine', 'actions', `${name}.js`);
      const described = {
        name: `stand-in of actions/${name}`,
        description: 'Stand-in of the lab',
        inputs: Object.fromEntries(
          Object.entries(inputs).map(([input, value]) => [
            input,
            { description: input, required: false, default: value },
          ]),
        ),
        outputs: Object.fromEntries(outputs.map((output) => [output, { description: output }])),
        runs: { using: 'node24', main: 'main.mjs' },
      };
      await mkdir(home, { recursive: true });
      await writeFile(join(home, 'action.yml'), stringify(described));
      await writeFile(join(home, 'main.mjs'), `await import(${JSON.stringify(code)});\n`);
      return [`actions/${name}`, home];
    }),
  );
  return new Map(written);
}
