import type { Finding } from '../checks/finding.js';
import { withoutColour } from './steps.js';

/**
 * What `mcp-runtime cluster doctor` complains about. It knows no confidence and tests with pods of its own, some of
 * which fail on clusters that work: its errors are warnings here. Source: the doctor's output.
 */
export function readDoctor(output: readonly string[]): Finding[] {
  const lines = output.map((line) => withoutColour(line).trim());
  return lines.flatMap((line, index): Finding[] => {
    const failed = /^ERROR\s+(?<name>.+?) (?:—|-) (?<detail>.+)$/.exec(line);
    if (failed === null) return [];
    const remedy = /^(?:INFO\s+)?Remedy: (?<text>.+)$/.exec(lines[index + 1] ?? '')?.groups?.text;
    return [
      {
        code: 'doctor',
        severity: 'warning',
        subject: failed.groups?.name ?? '',
        cause: 'the platform’s own doctor complains',
        evidence: [failed.groups?.detail ?? ''],
        remedy: remedy ?? 'mcp-runtime cluster doctor',
        confidence: 'possible',
      },
    ];
  });
}
