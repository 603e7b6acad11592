import type {
  CertificateSpec,
  CertificateStatus,
  RenewalSpec,
  RenewalWindow,
} from '../../../shared/certificates/model.js';
import type { Dice } from './dice.js';
import type { Validity } from './x509.js';

/** What decides when a certificate is renewed. */
export interface Renewal {
  readonly spec: Pick<CertificateSpec, 'renewBefore' | 'renewBeforePercentage' | 'renewal'>;
  readonly status: CertificateStatus;
  readonly renewalInfo: boolean;
}

const hour = 3_600_000;

/** Rules of renewal; odder ones where the renewal is what a case is about. */
export function randomRenewal(dice: Dice, validity: Validity, isAim: boolean): Renewal {
  const often = isAim ? 1 : 0.3;
  const times = (percent: number): boolean => dice.chance(percent * often);
  const before = times(40) ? { renewBefore: renewBefore(dice, validity) } : {};
  const percentage = times(35)
    ? { renewBeforePercentage: dice.pick([1, 5, 10, 33, 50, 66, 67, 90, 99, 100, 0, -5, 150, dice.between(1, 99)]) }
    : {};
  const { status, renewalInfo } = advice(dice, validity, times(12));
  return {
    spec: { ...before, ...percentage, ...(times(30) ? { renewal: renewalSpec(dice) } : {}) },
    status: {
      ...status,
      ...(dice.chance(40) ? { renewalTime: validity.notAfter.toISOString().replace('.000', '') } : {}),
    },
    renewalInfo,
  };
}

function renewBefore(dice: Dice, { notBefore, notAfter }: Validity): string {
  const seconds = Math.round((notAfter.getTime() - notBefore.getTime()) / 1000);
  return dice.pick([
    '720h',
    '720h0m0s',
    '360h',
    '0s',
    '-1h',
    '1ns',
    '1h0m0.5s',
    '1.5h',
    '500ms',
    `${seconds}s`,
    `${seconds - 1}s`,
    `${seconds + 1}s`,
    `${Math.floor(seconds / 2)}.999999999s`,
    '2562047h47m16.854775807s',
  ]);
}

function renewalSpec(dice: Dice): RenewalSpec {
  const policy = dice.weighted<RenewalSpec['policy']>([
    [12, 'RenewBefore'],
    [3, 'Disabled'],
    [1, undefined],
  ]);
  return {
    ...(policy === undefined ? {} : { policy }),
    ...(dice.chance(85) ? { windows: Array.from({ length: dice.between(0, 3) }, () => window(dice)) } : {}),
  };
}

function window(dice: Dice): RenewalWindow {
  const timezone = dice.weighted([
    [6, undefined],
    [2, 'UTC'],
    [2, 'Europe/Berlin'],
    [2, 'America/New_York'],
    [1, 'Asia/Kathmandu'],
    [1, 'Australia/Lord_Howe'],
    [1, 'Nowhere/Land'],
    [1, ''],
  ]);
  const windowDuration = dice.pick([
    '1h',
    '24h0m0s',
    '30m',
    '1m',
    '720h',
    '6h30m',
    dice.chance(10) ? '0s' : '2h',
    dice.chance(10) ? '-1h' : '12h',
  ]);
  return {
    cron: cron(dice),
    ...(timezone === undefined ? {} : { timezone }),
    ...(dice.chance(97) ? { windowDuration } : {}),
  };
}

const fields = [
  { least: 0, most: 59, names: [] },
  { least: 0, most: 23, names: [] },
  { least: 1, most: 31, names: [] },
  { least: 1, most: 12, names: ['jan', 'FEB', 'Jun', 'dec'] },
  { least: 0, most: 6, names: ['mon', 'SUN', 'Sat', '7'] },
] as const;

function cron(dice: Dice): string {
  if (dice.chance(12))
    return dice.pick([
      '@daily',
      '@weekly',
      '@monthly',
      '@yearly',
      '@annually',
      '@hourly',
      '@midnight',
      '@every 1h',
      '@nothing',
      '',
      '* * * *',
      '0 0 30 2 *',
      '* * * * * *',
      'TZ=UTC 0 0 * * *',
      'CRON_TZ=Asia/Tokyo 0 0 * * *',
      ' 0  0 * * * ',
      '? ? * * ?',
    ]);
  return fields.map((field, index) => cronField(dice, field, index)).join(' ');
}

/** Hours and minutes are mostly told, or every window would be open at once. */
function cronField(dice: Dice, { least, most, names }: (typeof fields)[number], index: number): string {
  const number = (): number => dice.between(least, most);
  if (dice.chance(index < 2 ? 15 : 55)) return '*';
  const [a, b] = [number(), number()].sort((one, other) => one - other) as [number, number];
  return dice.weighted<() => string>([
    [8, () => String(number())],
    [3, () => `${a}-${b}`],
    [2, () => `*/${dice.between(1, 20)}`],
    [2, () => `${a}-${b}/${dice.between(1, 5)}`],
    [2, () => `${number()},${number()}`],
    [1, () => (names.length === 0 ? '?' : dice.pick(names))],
    [1, () => `${number()}/${dice.between(1, 9)}`],
    [1, () => dice.pick(['60', '-1', 'x', '1-', '*/0', '0', '32', `${b}-${a}`, '1,', '*-3', '1-2-3', '1/2/3'])],
  ])();
}

/** The CA's advice (ARI), which counts with the feature gate only. */
function advice(dice: Dice, { notBefore, notAfter }: Validity, isGiven: boolean): Omit<Renewal, 'spec'> {
  if (!isGiven) return { status: {}, renewalInfo: dice.chance(5) };
  const life = notAfter.getTime() - notBefore.getTime();
  const at = notBefore.getTime() + Math.round(life * dice.pick([-0.1, 0, 0.3, 0.5, 0.66, 0.9]));
  const text = (time: number): string => new Date(Math.floor(time / 1000) * 1000).toISOString().replace('.000', '');
  return {
    status: { acme: { ari: { suggestedWindow: { start: text(at), end: text(at + 24 * hour) } } } },
    renewalInfo: dice.chance(80),
  };
}
