import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { root } from '../lab/driver/folders.js';
import { type Theme, themes } from './diagrams/svg.js';

const shape = z.strictObject({
  measured: z.iso.date(),
  acmeCertificates: z.number().int().positive(),
  orders: z.strictObject({ mcprt: z.number().int().nonnegative(), runbook: z.number().int().nonnegative() }),
});

/** What `npm run demo -- --record` counted. */
export type OrderFigures = z.infer<typeof shape>;

/** The figures that are checked in. */
export async function readOrderFigures(): Promise<OrderFigures> {
  return shape.parse(JSON.parse(await readFile(join(root, 'docs', 'pictures', 'figures.json'), 'utf8')));
}

/** Both, each with the file that it is drawn into. */
export const orderPictures: readonly [Theme, string][] = [
  ['light', 'docs/pictures/orders-light.svg'],
  ['dark', 'docs/pictures/orders-dark.svg'],
];

/** In pixels: of the picture, and where the orders begin. */
const width = 760;
const start = 200;
/** Of one order, and the way to the next one. */
const block = { size: 26, step: 34 };

/** The README's first picture: one block for each order of a wipe and reinstall, by the runbook and by mcprt. */
export function ordersPicture({ measured, acmeCertificates, orders }: OrderFigures, theme: Theme): string {
  const { text, quiet, bad: order, good: none } = themes[theme];
  const row = (y: number, name: string, how: string, count: number): string[] => [
    `  <text x="0" y="${y + 12}" fill="${text}" font-size="15" font-weight="600">${name}</text>`,
    `  <text x="0" y="${y + 30}" fill="${quiet}" font-size="12">${how}</text>`,
    ...Array.from({ length: count }, (_, at) => {
      const x = start + at * block.step;
      return `  <rect x="${x}" y="${y + 4}" width="${block.size}" height="${block.size}" rx="4" fill="${order}"/>`;
    }),
    `  <text x="${start + count * block.step}" y="${y + 26}" fill="${count === 0 ? none : order}" font-size="26" font-weight="700">${count}</text>`,
  ];
  const title = 'Certificates ordered by one wipe and reinstall';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="172" viewBox="0 0 ${width} 172" role="img" aria-label="${title}: ${orders.runbook} by the runbook, ${orders.mcprt} by mcprt" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    `  <text x="0" y="18" fill="${text}" font-size="16" font-weight="600">${title}</text>`,
    ...row(42, 'The runbook', 'installs, then restores', orders.runbook),
    ...row(94, 'mcprt', 'restores, then installs', orders.mcprt),
    `  <text x="0" y="160" fill="${quiet}" font-size="12">A platform with ${acmeCertificates} public certificates on a test cluster with its own ACME server: npm run demo, ${measured}</text>`,
    '</svg>',
    '',
  ].join('\n');
}
