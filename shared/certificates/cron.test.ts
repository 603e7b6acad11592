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

it('a day that never comes', () => {
  expect(next('0 0 31 feb ?', '2012-07-09T00:00:00Z')).toBeUndefined();
});

it.each([
  '',
  '* * * *',
  '60 * * * *',
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
