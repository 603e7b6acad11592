import { renewalTime } from '../../shared/certificates/renewal.js';
import { certManagerVersion, newestCertManager } from '../../shared/certificates/version.js';
import { area, label, type Part, picture, type Theme } from './svg.js';

const day = 24 * 3_600_000;
/** Let’s Encrypt's profiles, and how long their certificates live, in days (letsencrypt.org/docs/profiles, letsencrypt.org/2025/12/02/from-90-to-45). */
const profiles = [
  ['classic', 90],
  ['classic from February 2027', 64],
  ['classic from February 2028, tlsserver', 45],
  ['shortlived', 160 / 24],
] as const;
/** In pixels: where bars begin, and the width of a day. */
const [start, perDay] = [270, 3.4];

/** How long certificates live, when cert-manager renews them, and what that means for the age of a backup. */
export function lifetimes(theme: Theme): string {
  const parts = profiles.flatMap(([name, days], index): Part[] => {
    const renewed = renewedAfter(days);
    const y = 62 + index * 36;
    const [kept, rest] = [renewed * perDay, (days - renewed) * perDay];
    return [
      label({ x: 8, y: y + 15 }, name, { weight: 600 }),
      area({ x: start, y, width: kept, height: 22 }, 'good', { opacity: 0.85 }),
      area({ x: start + kept, y, width: rest, height: 22 }, 'bad', { opacity: 0.55 }),
      label({ x: start + kept + rest + 8, y: y + 15 }, told(renewed, days), { size: 12 }),
    ];
  });
  const title = 'A restored certificate is kept until cert-manager’s renewal is due';
  return picture(
    { width: 760, height: 240 },
    `${title}: ${profiles.map(([name, days]) => `${name}, ${told(renewedAfter(days), days)}`).join('; ')}`,
    [
      label({ x: 8, y: 22 }, title, { size: 15, weight: 600 }),
      label(
        { x: 8, y: 44 },
        'Green: a backup of that age restores with 0 orders. Red: the restore says that a renewal is due, and cert-manager renews.',
        { colour: 'quiet', size: 12 },
      ),
      ...parts,
      label(
        { x: 8, y: 226 },
        `By cert-manager’s default, a third of the life before its end; with renewBefore or renewBeforePercentage earlier or later.`,
        { colour: 'quiet', size: 12 },
      ),
    ],
    theme,
  );
}

/** In days, by the forecast's own rule. */
function renewedAfter(days: number): number {
  const validity = { notBefore: new Date(0), notAfter: new Date(days * day) };
  const spec = { secretName: '', issuerRef: { name: '' } };
  const renewal = renewalTime(validity, spec, certManagerVersion(newestCertManager));
  if (renewal === undefined) throw new Error('nothing renews a certificate by default');
  return renewal.at.getTime() / day;
}

const told = (renewed: number, days: number): string => `renewed after ${whole(renewed)} of ${whole(days)} days`;
const whole = (days: number): string => String(Math.round(days * 10) / 10);
