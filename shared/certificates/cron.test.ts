import { expect, it } from '@jest/globals';
import { cronSchedule } from './cron.js';

function next(cron: string, after: string, zone = 'UTC'): string | undefined {
  const schedule = cronSchedule(cron, zone);
  if (!schedule.ok) throw new Error(schedule.error);
  const found = schedule.value.next(Date.parse(after));
  return found === undefined ? undefined : new Date(found).toISOString().replace('.000Z', 'Z');
}

// From the tests of robfig/cron, which cert-manager carries.
it.each([
  ['* * * * *', '2012-07-09T14:45:00Z', '2012-07-09T14:46:00Z', 'UTC'],
  ['0/15 * * * *', '2012-07-09T14:45:00Z', '2012-07-09T15:00:00Z', 'UTC'],
  ['20-35/15 * * * *', '2012-07-09T15:45:00Z', '2012-07-09T16:20:00Z', 'UTC'],
  ['0 0 1 1 *', '2012-12-31T23:59:45Z', '2013-01-01T00:00:00Z', 'UTC'],
  ['0 0 * Feb Mon', '2012-07-09T23:35:00Z', '2013-02-04T00:00:00Z', 'UTC'],
  ['0 0 29 2 ?', '2012-07-09T23:35:00Z', '2016-02-29T00:00:00Z', 'UTC'],
  ['0 0 1,15 * sun', '2012-07-09T00:00:00Z', '2012-07-15T00:00:00Z', 'UTC'],
  ['@hourly', '2012-07-09T14:45:30.5Z', '2012-07-09T15:00:00Z', 'UTC'],
  ['@yearly', '2012-07-09T14:45:00Z', '2013-01-01T00:00:00Z', 'UTC'],
  ['@annually', '2012-07-09T14:45:00Z', '2013-01-01T00:00:00Z', 'UTC'],
  ['@monthly', '2012-07-09T14:45:00Z', '2012-08-01T00:00:00Z', 'UTC'],
  ['@weekly', '2012-07-09T14:45:00Z', '2012-07-15T00:00:00Z', 'UTC'],
  ['@daily', '2012-07-09T14:45:00Z', '2012-07-10T00:00:00Z', 'UTC'],
  ['@midnight', '2012-07-09T14:45:00Z', '2012-07-10T00:00:00Z', 'UTC'],
  // The ends of each field.
  ['0 0 31 12 *', '2012-07-09T14:45:00Z', '2012-12-31T00:00:00Z', 'UTC'],
  ['59 23 * * *', '2012-07-09T14:45:00Z', '2012-07-09T23:59:00Z', 'UTC'],
  ['0 0 * * 6', '2012-07-09T14:45:00Z', '2012-07-14T00:00:00Z', 'UTC'],
  ['5-10/5,50,, * * * *', '2012-07-09T14:06:00Z', '2012-07-09T14:10:00Z', 'UTC'],
  // A day of the month or of the week, where both are given; the steps of any are not any.
  ['0 0 13 * FRI', '2012-07-09T14:45:00Z', '2012-07-13T00:00:00Z', 'UTC'],
  ['0 0 12 * FRI', '2012-07-09T14:45:00Z', '2012-07-12T00:00:00Z', 'UTC'],
  ['0 0 15 * *', '2012-07-09T14:45:00Z', '2012-07-15T00:00:00Z', 'UTC'],
  ['@every 90m', '2012-07-09T14:45:30.5Z', '2012-07-09T16:15:30Z', 'UTC'],
  // New York skips 02:30 on 2012-03-11, and has 01:30 twice on 2012-11-04.
  ['30 2 11 Mar ?', '2012-03-11T05:00:00Z', '2013-03-11T06:30:00Z', 'America/New_York'],
  ['0 1 * * ?', '2012-11-04T05:00:00Z', '2012-11-04T06:00:00Z', 'America/New_York'],
  ['0 0 * * ?', '2012-03-11T06:00:00Z', '2012-03-12T04:00:00Z', 'America/New_York'],
  // Sao Paulo had no midnight on 2018-11-04.
  ['0 0 4 11 *', '2018-11-03T12:00:00Z', '2019-11-04T03:00:00Z', 'America/Sao_Paulo'],
  ['0 9 * * *', '2018-11-03T13:00:00Z', '2018-11-04T11:00:00Z', 'America/Sao_Paulo'],
])('%s after %s', (cron, after, expected, zone) => {
  expect(next(cron, after, zone)).toBe(expected);
});

it.each('jan feb mar apr may jun jul aug sep oct nov dec'.split(' ').map((name, at) => [name, at + 1] as const))(
  'month %s is %i',
  (name, month) => {
    expect(next(`0 0 1 ${name} *`, '2012-12-31T23:59:00Z')).toBe(`2013-${String(month).padStart(2, '0')}-01T00:00:00Z`);
  },
);

// 2012-07-08 was a Sunday.
it.each('sun mon tue wed thu fri sat'.split(' ').map((name, at) => [name, at] as const))('day %s is %i', (name, at) => {
  expect(next(`0 0 * * ${name}`, '2012-07-07T23:59:00Z')).toBe(`2012-07-${String(8 + at).padStart(2, '0')}T00:00:00Z`);
});

it('a day that never comes', () => {
  expect(next('0 0 31 feb ?', '2012-07-09T00:00:00Z')).toBeUndefined();
});

it.each([
  '',
  '* * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 32 * *',
  '* * * 0 *',
  '* * * 13 *',
  '* * * * 7',
  '* * 0 * *',
  '5-1 * * * *',
  '*/0 * * * *',
  '1/2/3 * * * *',
  '1-2-3 * * * *',
  'x * * * *',
  '@never',
  '@every soon',
])('refuses %p', (cron) => {
  expect(cronSchedule(cron, 'UTC').ok).toBe(false);
});

it('refuses an unknown zone', () => {
  expect(cronSchedule('* * * * *', 'Mars/Olympus')).toEqual({ ok: false, error: 'unknown time zone Mars/Olympus' });
});
