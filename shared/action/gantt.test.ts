import { expect, it } from '@jest/globals';
import { phasesGantt } from './gantt.js';

const phase = (name: string, from: number, seconds: number) => ({ name, from, seconds, endedAt: '' });

it('draws phases from the beginning on, those that stand out as such, and none too narrow to be seen', () => {
  const text = phasesGantt([phase('look', 0, 0), phase('put: it, back', 61.5, 3600)], ['put: it, back']);
  expect(text.split('\n')).toEqual([
    '```mermaid',
    'gantt',
    '  dateFormat YYYY-MM-DD HH:mm:ss.SSS',
    '  axisFormat %M:%S',
    '  todayMarker off',
    '  look :2000-01-01 00:00:00.000, 2000-01-01 00:00:00.100',
    '  put  it  back :crit, 2000-01-01 00:01:01.500, 2000-01-01 01:01:01.500',
    '```',
  ]);
});
