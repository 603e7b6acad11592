// What the house looks like: rooms, who imports from whom, circles, and how many lines there are, against a commit if wanted.
//   npm run layout [-- --since COMMIT] [--arrows]
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { root } from '../lab/driver/folders.js';
import { arrowsBetween, arrowsUp, circlesOf, isTest, roomOf, roomsOf } from './layout/rooms.js';
import { type Source, sourcesAt, sourcesOf } from './layout/sources.js';

const { values } = parseArgs({ options: { since: { type: 'string' }, arrows: { type: 'boolean' } } });
const rooms = roomsOf(await readFile(join(root, 'docs', 'architecture.md'), 'utf8'));
const sources = await sourcesOf(root);
const before = values.since === undefined ? undefined : await sourcesAt(root, values.since);
const arrows = arrowsBetween(rooms, sources);
const up = arrowsUp(rooms, arrows);
const circles = circlesOf(sources);
const print = (line: string): void => void process.stdout.write(`${line}\n`);

const parts: readonly (readonly [string, (path: string) => boolean])[] = [
  ['product', (path) => /^(?:action-|shared\/|cli\/|init\/)/.test(path) && !isTest(path)],
  ['lab and proofs', (path) => /^(?:lab|proofs)\//.test(path) && !isTest(path)],
  ['scripts', (path) => path.startsWith('scripts/') && !isTest(path)],
  ['tests', isTest],
];
const linesOf = (all: readonly Source[], has: (path: string) => boolean): number =>
  all.filter(({ path }) => has(path)).reduce((sum, { lines }) => sum + lines, 0);

print('room                      files   lines  imports from');
for (const { name } of rooms) {
  const inside = sources.filter(({ path }) => roomOf(rooms, path) === name && !isTest(path));
  const to = arrows.filter(({ from }) => from === name).map((one) => one.to.replace(/^shared\//, ''));
  print(
    `${name.padEnd(24)} ${String(inside.length).padStart(6)} ${String(linesOf(inside, () => true)).padStart(7)}  ${to.join(' ')}`,
  );
}
print('');
for (const [name, has] of parts) {
  const now = linesOf(sources, has);
  const then =
    before === undefined ? '' : `, ${linesOf(before, has)} at ${values.since}: ${now - linesOf(before, has)}`;
  print(`${name}: ${now} lines${then}`);
}
if (values.arrows) for (const { from, to, files } of arrows) print(`${from} → ${to}: ${files.join(' ')}`);
const homeless = sources.filter(({ path }) => roomOf(rooms, path) === undefined).map(({ path }) => path);
print(`rooms ${rooms.length}, arrows ${arrows.length}, arrows up ${up.length}, circles ${circles.length}`);
for (const { from, to, files } of up) print(`  up: ${from} → ${to}: ${files.join(' ')}`);
for (const circle of circles) print(`  circle: ${circle.join(' ↔ ')}`);
for (const path of homeless) print(`  in no room: ${path}`);
process.exitCode = up.length + circles.length + homeless.length === 0 ? 0 : 1;
