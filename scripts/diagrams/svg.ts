/** GitHub's own colours, so that a picture stands on the page without a frame. */
export const themes = {
  light: {
    text: '#1f2328',
    quiet: '#59636e',
    bad: '#d1242f',
    good: '#1a7f37',
    line: '#8c959f',
    fill: '#f6f8fa',
    accent: '#0969da',
  },
  dark: {
    text: '#f0f6fc',
    quiet: '#9198a1',
    bad: '#f85149',
    good: '#3fb950',
    line: '#656c76',
    fill: '#151b23',
    accent: '#4493f8',
  },
} as const;

export type Theme = keyof typeof themes;
export type Colour = keyof (typeof themes)['light'];

/** A part of a picture: what it draws with a theme's colours. */
export type Part = (colours: (typeof themes)[Theme]) => string;

/** In pixels. */
export interface Point {
  x: number;
  y: number;
}

interface TextStyle {
  colour?: Colour;
  size?: number;
  weight?: 400 | 600 | 700;
  anchor?: 'start' | 'middle' | 'end';
}

/** A line of text. */
export function label({ x, y }: Point, text: string, style: TextStyle = {}): Part {
  const { colour = 'text', size = 13, weight = 400, anchor = 'start' } = style;
  return (colours) =>
    `<text x="${x}" y="${y}" fill="${colours[colour]}" font-size="${size}" font-weight="${weight}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

/** A box with a title and lines below it. @param marked whether it is the one that matters */
export function box(
  { x, y, width, height }: Point & { width: number; height: number },
  title: string,
  lines: readonly string[],
  marked = false,
): Part {
  const parts = [
    label({ x: x + 10, y: y + 22 }, title, { weight: 600 }),
    ...lines.map((line, at) => label({ x: x + 10, y: y + 42 + at * 17 }, line, { colour: 'quiet', size: 11.5 })),
  ];
  return (colours) =>
    [
      `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="6" fill="${colours.fill}" stroke="${marked ? colours.accent : colours.line}" stroke-width="${marked ? 2 : 1}"/>`,
      ...parts.map((part) => part(colours)),
    ].join('\n  ');
}

/** A straight line with a head. */
export function arrow(from: Point, to: Point): Part {
  const [length, wide] = [7, 4];
  const all = Math.hypot(to.x - from.x, to.y - from.y);
  const [along, across] = [(to.x - from.x) / all, (to.y - from.y) / all];
  const foot = { x: to.x - along * length, y: to.y - across * length };
  const corner = (side: number): string =>
    `${round(foot.x - across * wide * side)},${round(foot.y + along * wide * side)}`;
  return ({ line }) =>
    [
      `<line x1="${from.x}" y1="${from.y}" x2="${round(foot.x)}" y2="${round(foot.y)}" stroke="${line}" stroke-width="1.5"/>`,
      `<polygon points="${to.x},${to.y} ${corner(1)} ${corner(-1)}" fill="${line}"/>`,
    ].join('\n  ');
}

/** A bar, or with `dashed` the frame of an area. */
export function area(
  { x, y, width, height }: Point & { width: number; height: number },
  colour: Colour,
  { dashed = false, opacity = 1 }: { dashed?: boolean; opacity?: number } = {},
): Part {
  return (colours) =>
    dashed
      ? `<rect x="${x}" y="${y}" width="${round(width)}" height="${height}" rx="8" fill="none" stroke="${colours[colour]}" stroke-dasharray="5 4"/>`
      : `<rect x="${round(x)}" y="${y}" width="${round(width)}" height="${height}" rx="3" fill="${colours[colour]}" opacity="${opacity}"/>`;
}

/** A whole picture. @param title what it shows, for whoever does not see it */
export function picture(
  size: { width: number; height: number },
  title: string,
  parts: readonly Part[],
  theme: Theme,
): string {
  const { width, height } = size;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}" font-family="-apple-system, 'Segoe UI', Helvetica, Arial, sans-serif">`,
    ...parts.map((part) => `  ${part(themes[theme])}`),
    '</svg>',
    '',
  ].join('\n');
}

const round = (value: number): number => Math.round(value * 10) / 10;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
