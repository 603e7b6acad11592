const minute = 60_000;
const units = [
  { name: 'day', length: 24 * 60 * minute },
  { name: 'hour', length: 60 * minute },
  { name: 'minute', length: minute },
] as const;

/**
 * A moment for people: the absolute time in UTC, and how far it is from now: `2026-12-02 07:03 UTC, in 33 hours`. Days are told from two
 * of them on, hours and minutes alike, so that a rounded number says enough.
 */
export function momentText(moment: Date, now: Date): string {
  const absolute = `${moment.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const away = Math.abs(moment.getTime() - now.getTime());
  const { name, length } = units.find((one) => away >= 2 * one.length) ?? units[2];
  const count = Math.round(away / length);
  if (count === 0) return `${absolute}, now`;
  const span = `${count} ${name}${count === 1 ? '' : 's'}`;
  return `${absolute}, ${moment > now ? `in ${span}` : `${span} ago`}`;
}
