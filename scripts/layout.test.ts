import { describe, expect, it } from '@jest/globals';
import { arrowsBetween, arrowsUp, circlesOf, roomOf, roomsOf } from './layout/rooms.js';
import { sourceOf } from './layout/sources.js';

const page = `
| Folder | What is in it | May know |
| --- | --- | --- |
| \`action-*\` | thin | \`shared/*\` \`shared\` |
| \`shared/top\` | decides | \`shared/ground\` |
| \`shared/ground\` | knows nobody | – |
| \`shared\` | a few lines | – |
`;
const rooms = roomsOf(page);
const file = (path: string, ...imports: string[]) => ({ path, lines: 1, imports });

describe('the rooms', () => {
  it('are those of the table, and a file is in the one whose folder is the longest', () => {
    expect(rooms.map(({ name }) => name)).toEqual(['action-*', 'shared/top', 'shared/ground', 'shared']);
    expect(rooms[0]?.mayKnow).toEqual(['shared/top', 'shared/ground', 'shared']);
    expect(
      ['shared/top/a.ts', 'shared/a.ts', 'action-x/src/a.ts', 'other/a.ts'].map((one) => roomOf(rooms, one)),
    ).toEqual(['shared/top', 'shared', 'action-*', undefined]);
  });

  it('fail on an import that the table does not allow, types included, and not on a test’s', () => {
    const up = (path: string, imported: string): number =>
      arrowsUp(rooms, arrowsBetween(rooms, [file(path, imported)])).length;
    expect(up('shared/top/a.ts', 'shared/ground/b.ts')).toBe(0);
    expect(up('shared/ground/b.ts', 'shared/top/a.ts')).toBe(1);
    expect(up('shared/ground/b.test.ts', 'shared/top/a.ts')).toBe(0);
    expect(sourceOf('shared/ground/b.ts', "import type { A } from '../top/a.js';\n").imports).toEqual([
      'shared/top/a.ts',
    ]);
  });

  it('have no files that import each other in a circle, however long it is', () => {
    const round = [file('a.ts', 'b.ts'), file('b.ts', 'c.ts', 'd.ts'), file('c.ts', 'a.ts'), file('d.ts')];
    expect(circlesOf(round)).toEqual([['a.ts', 'b.ts', 'c.ts']]);
    expect(circlesOf([file('a.ts', 'b.ts', 'c.ts'), file('b.ts', 'c.ts'), file('c.ts')])).toEqual([]);
    expect(circlesOf([file('a.ts', 'a.ts')])).toEqual([['a.ts']]);
  });
});
