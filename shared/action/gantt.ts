import type { Phase } from '../phases.js';

/** Phases as a Mermaid gantt, which GitHub draws. @param marked those that stand out */
export function phasesGantt(phases: readonly Phase[], marked: readonly string[] = []): string {
  const tasks = phases.map(({ name, from, seconds }) => {
    // A bar of no width cannot be seen.
    const end = from + Math.max(seconds, 0.1);
    return `  ${name.replace(/[:;#,]/g, ' ')} :${marked.includes(name) ? 'crit, ' : ''}${clock(from)}, ${clock(end)}`;
  });
  return [
    '```mermaid',
    'gantt',
    '  dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    '  axisFormat %M:%S',
    '  todayMarker off',
    ...tasks,
    '```',
  ].join('\n');
}

/** A time after the beginning as a local time, which is what Mermaid reads and writes: minutes are right in every zone. */
function clock(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('1970', '2000').replace('T', ' ').replace('Z', '');
}
