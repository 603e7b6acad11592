import type { Finding } from '../checks/finding.js';
import { finding } from '../checks/finding.js';
import { withoutColour } from './installer-output.js';

interface Complaint {
  name: string;
  /** The doctor's words, line by line. */
  details: string[];
  remedy: string[];
}

/** A line that begins a message; what follows a message's first line is indented further than this. */
const message = /^ {0,2}(?<kind>INFO|SUCCESS|WARNING|ERROR)(?:\s+(?<text>.*))?$/;
const remedyStart = /^Remedy: (?<text>.*)$/;
/** Complaints that are kept, lines of one, and characters of each: a pod's log can be in it. The step's log has all. */
const most = { complaints: 50, lines: 30, characters: 600 };

/**
 * What `mcp-runtime cluster doctor` complains about, each with all its lines and its own remedy. It knows no confidence
 * and tests with pods of its own, some of which fail on clusters that work: its errors are warnings here. Source: the
 * doctor's output.
 */
export function readDoctor(output: readonly string[]): Finding[] {
  return complaintsIn(output).map(
    ({ name, details, remedy }): Finding =>
      finding('doctor', {
        severity: 'warning',
        subject: name,
        cause: 'the platform’s own doctor complains',
        evidence: details,
        remedy: remedy.join('\n') || 'mcp-runtime cluster doctor',
        confidence: 'possible',
      }),
  );
}

function complaintsIn(output: readonly string[]): Complaint[] {
  const complaints: Complaint[] = [];
  /** Where a further line belongs: to the words or the remedy of the last complaint, or to none. */
  let open: string[] | undefined;
  for (const raw of output) {
    const line = withoutColour(raw).trimEnd();
    const last = complaints.at(-1);
    const found = message.exec(line)?.groups;
    const kind = found?.kind;
    const text = found === undefined ? line.trim() : (found.text ?? '');
    const remedy = remedyStart.exec(text.trim())?.groups?.text;
    const failed = /^(?<name>.+?) (?:—|-) (?<detail>.*)$/.exec(text)?.groups;
    if (kind === 'ERROR' && failed !== undefined) {
      if (complaints.length === most.complaints) break;
      open = [(failed.detail ?? '').slice(0, most.characters)];
      complaints.push({ name: failed.name ?? '', details: open, remedy: [] });
    } else if (last !== undefined && open !== undefined && remedy !== undefined && last.remedy.length === 0) {
      open = last.remedy;
      keep(open, remedy);
    } else if (kind !== undefined || /^\S/.test(line)) {
      open = undefined;
    } else if (open !== undefined && text !== '') {
      keep(open, text);
    }
  }
  return complaints;
}

function keep(lines: string[], text: string): void {
  if (lines.length < most.lines) lines.push(text.slice(0, most.characters));
}
