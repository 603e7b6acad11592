import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { root } from '../../lab/driver/folders.js';
import { manifestText } from './manifest.js';
import { grants } from './operations.js';
import { demandsOf, distinct, wordsOf } from './rule.js';
import { withPermissionTables } from './tables.js';

describe('docs/rbac', () => {
  it('holds the manifest of each operation, and no other', async () => {
    expect((await readdir(join(root, 'docs', 'rbac'))).sort()).toEqual(
      [...grants.keys()].map((name) => `${name}.yaml`).sort(),
    );
  });

  it.each([...grants])('%s.yaml is what its rules give', async (name, operation) => {
    expect(await readFile(join(root, 'docs', 'rbac', `${name}.yaml`), 'utf8')).toBe(manifestText(name, operation));
  });
});

describe('docs/permissions.md', () => {
  it('has the tables of the rules', async () => {
    const page = await readFile(join(root, 'docs', 'permissions.md'), 'utf8');
    expect(withPermissionTables(page)).toBe(page);
    for (const name of grants.keys()) expect(page).toContain(`(rbac/${name}.yaml)`);
  });
});

describe.each([...grants])('the rules of %s', (_, { rules }) => {
  it('grant nothing twice', () => {
    expect(distinct(rules)).toEqual(rules);
    const words = rules.flatMap(demandsOf).map(wordsOf);
    expect(new Set(words).size).toBe(words.length);
  });

  it('use no wildcard', () => {
    expect(
      rules
        .flatMap(demandsOf)
        .map(wordsOf)
        .filter((one) => one.includes('*')),
    ).toEqual([]);
  });

  it('explain verbs that they have', () => {
    for (const { verbs, unseen = {} } of rules)
      expect(Object.keys(unseen).filter((verb) => !verbs.some((one) => one === verb))).toEqual([]);
  });
});
