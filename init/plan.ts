import { parseDocument } from 'yaml';
import { z } from 'zod';
import { DEFAULT_PATH } from '../shared/profile/profile.js';
import { callsIn, type Environment, environmentsOf } from './environments.js';
import type { Facts } from './look.js';

/** What this release of mcprt has to offer, by file name. */
export interface Templates {
  /** examples/ */
  examples: ReadonlyMap<string, string>;
  /** .github/workflows/ */
  called: ReadonlyMap<string, string>;
}

export interface PlannedFile {
  /** Name in .github/workflows. */
  name: string;
  text: string;
  /** `kept`: another file of that name is there, and is left alone. */
  state: 'new' | 'same' | 'kept';
}

export interface InitPlan {
  files: PlannedFile[];
  environments: Environment[];
  /** Secrets of which mcprt makes the keys. */
  needsKeys: boolean;
}

const ofPlatform = ['backup.yml', 'deploy.yml', 'drill.yml', 'reinstall.yml'];
/** Without the platform's source a job can neither install nor roll out, but it can look after backups. */
const ofProfile = ['backup.yml', 'drill.yml'];
const ofServer = ['preview-build.yml', 'preview.yml'];

/** Which workflows a repository gets, and what its environments need: pure. */
export function planInit(facts: Facts, { examples, called }: Templates): InitPlan {
  const wanted = [
    ...(facts.profile === undefined ? [] : facts.hasPlatform ? ofPlatform : ofProfile),
    ...(facts.hasServer ? ofServer : []),
  ];
  const files = wanted.flatMap((example): PlannedFile[] => {
    const text = examples.get(example);
    if (text === undefined) return [];
    const name = `mcprt-${example}`;
    const own = adapted(text, facts);
    const there = facts.present.get(name);
    return [{ name, text: own, state: there === undefined ? 'new' : there === own ? 'same' : 'kept' }];
  });
  const calls = files.flatMap(({ text }) => callsIn(text));
  const environments = environmentsOf(calls.map(({ file, secrets }) => ({ text: called.get(file) ?? '', secrets })));
  const needsKeys = environments.some(({ secrets }) =>
    secrets.some((name) => /^MCPRT_(?:BACKUP|RESTORE)_KEY$/.test(name)),
  );
  return { files, environments, needsKeys };
}

/** An example for the branch and the profile of a repository; as it is where they are the usual ones. */
function adapted(text: string, { branch, profile }: Facts): string {
  const document = parseDocument(text);
  let isOther = false;
  const set = (path: readonly (string | number)[], value: string): void => {
    if (document.getIn(path) === value) return;
    document.setIn(path, value);
    isOther = true;
  };
  for (const event of ['push', 'pull_request']) {
    if (document.hasIn(['on', event, 'branches', 0])) set(['on', event, 'branches', 0], branch);
  }
  if (profile !== undefined && profile.path !== DEFAULT_PATH) {
    const calls = Object.entries(
      z.record(z.string(), z.looseObject({ uses: z.string().optional() })).parse(document.toJS().jobs),
    );
    for (const [job, { uses = '' }] of calls) {
      if (/\/workflows\/(?:backup|deploy|drill|reinstall)\.yml@/.test(uses))
        set(['jobs', job, 'with', 'profile'], profile.path);
    }
  }
  return isOther ? document.toString({ lineWidth: 0, flowCollectionPadding: false }) : text;
}
