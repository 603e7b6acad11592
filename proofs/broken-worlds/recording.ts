import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../../lab/driver/folders.js';
import { diagnose } from '../../shared/checks/diagnose.js';
import {
  differencesOf,
  factsOf,
  fewest,
  findingLine,
  type RecordedWorld,
  recordedWorlds,
  recordFacts,
} from '../../shared/checks/testing/worlds.js';
import type { PlatformFacts } from '../../shared/facts/observe-platform.js';

/** What was seen of broken sites, for the unit tests of the rules to replay. */
export interface Recording {
  add(name: string, facts: PlatformFacts): void;
  /** Writes all of it in place of what is there. */
  write(): Promise<void>;
}

/** A recording that begins with a healthy site: of others it keeps what makes the findings, word for word, what they are. */
export function makeRecording(facts: PlatformFacts): Recording {
  const healthy = recordFacts(facts);
  const worlds: RecordedWorld[] = [];
  return {
    add(name, seen) {
      const wanted = diagnose(seen);
      const told = JSON.stringify(wanted);
      const differences = fewest(
        differencesOf(healthy, recordFacts(seen)),
        (fewer) => JSON.stringify(diagnose(factsOf(healthy, fewer))) === told,
      );
      worlds.push({ name, differences, findings: wanted.map(findingLine) });
    },
    write: () =>
      writeFile(
        join(root, recordedWorlds),
        `{"healthy":${JSON.stringify(healthy)},\n"worlds":[\n${worlds.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`,
      ),
  };
}
