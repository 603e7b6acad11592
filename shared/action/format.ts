import { code } from './markdown.js';

const day = 24 * 3600_000;

/** A serial number in hex, shortened to what tells it from others. */
export function shortSerial(serial: string | undefined): string {
  if (serial === undefined || serial === '') return '–';
  return code(serial.length > 16 ? `${serial.slice(0, 6)}…${serial.slice(-8)}` : serial);
}

/** A CA's common name, which is how people call it; the whole name where it has none. */
export function issuerName(text: string | undefined): string {
  return /^CN=([^,]+)/.exec(text ?? '')?.[1] ?? (text || '–');
}

/** Whole days until a certificate ends. */
export function daysLeft(notAfter: Date | undefined, now: Date): string {
  return notAfter === undefined ? '–' : String(Math.floor((notAfter.getTime() - now.getTime()) / day));
}

/** A time span for people: `850 ms`, `12 s`, `3 min 20 s`. */
export function spanText(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
