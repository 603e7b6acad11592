import { arrow, box, label, type Part, picture, type Theme } from './svg.js';

/** What a reinstallation after a wipe does, one after the other, and what cert-manager does of it. */
const rows: readonly {
  name: string;
  good: boolean;
  ends: string;
  steps: readonly (readonly [string, ...string[]])[];
}[] = [
  {
    name: 'The runbook',
    good: false,
    ends: 'new certificates, and again after the restore',
    steps: [
      ['Install', 'Certificates without Secrets:', 'cert-manager orders all'],
      ['Restore', 'overwrites what was issued:', 'cert-manager orders again'],
      ['Third time in a week', 'Let’s Encrypt refuses'],
    ],
  },
  {
    name: 'mcprt',
    good: true,
    ends: 'the same certificates, 0 orders',
    steps: [
      ['1 Plan', 'what cert-manager will do', 'with each certificate'],
      ['2 Brake', 'new orders are denied where', 'somebody already asks'],
      ['3 Write', 'account and CA keys, then', 'TLS Secrets, then the rest'],
      ['4 Verify', 'read back; a canary proves', 'cert-manager’s caches'],
      ['5 Release', 'orders are counted:', 'one is an error'],
      ['6 Install', 'Certificates find', 'their Secrets'],
    ],
  },
];

/** In pixels. */
const size = { width: 176, height: 84, gap: 26, left: 8 } as const;

/** Why restoring first orders nothing: the steps of both ways, next to each other. */
export function restoreOrder(theme: Theme): string {
  const [left, step] = [size.left, size.width + size.gap];
  const perRow = 3;
  let y = 30;
  const parts = rows.flatMap(({ name, good, ends, steps }): Part[] => {
    const top = y;
    const drawn = steps.flatMap(([title, ...lines], index): Part[] => {
      const here = {
        x: left + (index % perRow) * step,
        y: top + 14 + Math.floor(index / perRow) * (size.height + size.gap),
      };
      const mid = here.y + size.height / 2;
      const one = box({ ...here, width: size.width, height: size.height }, title, lines);
      if (index === 0 || index % perRow === 0) return [one];
      return [one, arrow({ x: here.x - size.gap, y: mid }, { x: here.x, y: mid })];
    });
    const height = Math.ceil(steps.length / perRow) * (size.height + size.gap);
    y += 14 + height + 28;
    return [
      label({ x: left, y: top }, name, { size: 15, weight: 600 }),
      label({ x: left + perRow * step - size.gap, y: top }, ends, {
        colour: good ? 'good' : 'bad',
        weight: 600,
        anchor: 'end',
      }),
      ...drawn,
    ];
  });
  return picture(
    { width: left * 2 + perRow * step - size.gap, height: y - 42 },
    'The runbook installs, then restores: cert-manager orders twice. mcprt plans, brakes, writes, verifies, releases, then installs: 0 orders',
    parts,
    theme,
  );
}
