import type { Finding } from './finding.js';
import type { Assignment } from './parse.js';
import { KNOWN_NAMES, ruleOf } from './reference.js';

/** Two letters swapped, dropped or added are a slip; three make another word, as ADMIN and ACME are. */
const LARGEST_SLIP = 2;

/** Steps from one word to the other, a step being one letter added, dropped or replaced (Levenshtein's distance). */
export function editDistance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (const [row, letter] of [...from].entries()) {
    const current = [row + 1];
    for (const [column, other] of [...to].entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1);
      const dropped = (previous[column + 1] ?? 0) + 1;
      const added = (current[column] ?? 0) + 1;
      current.push(Math.min(replaced, dropped, added));
    }
    previous = current;
  }
  return previous.at(-1) ?? 0;
}

/** The known name that was probably meant; undefined when none is near. */
export function nearestName(name: string): string | undefined {
  const ranked = KNOWN_NAMES.map((known) => ({ known, distance: editDistance(name.toUpperCase(), known) }));
  const best = ranked.reduce((nearest, each) => (each.distance < nearest.distance ? each : nearest));
  return best.distance <= LARGEST_SLIP ? best.known : undefined;
}

/** A finding for each name that is not known but looks as if it was meant to be. Other tools' variables are fine. */
export function checkNames(assignments: Iterable<Assignment>): Finding[] {
  const findings: Finding[] = [];
  for (const { name, line, column } of assignments) {
    if (ruleOf(name) !== undefined) continue;
    const meant = nearestName(name);
    if (meant === undefined && !name.startsWith('MCP_')) continue;
    findings.push({
      code: 'profile-unknown-name',
      severity: 'warning',
      message: `Nothing reads ${name}.`,
      remedy:
        meant === undefined ? 'Look up the name in the variable reference, or remove the line.' : `Write ${meant}.`,
      variable: name,
      line,
      column,
    });
  }
  return findings;
}
