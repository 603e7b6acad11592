/** A text as somebody reads it who undoes one way of writing, with the way back to where each part of it stands. */
export interface View {
  shown: string;
  /** Where in the original a place of the shown text begins, and where what comes before a place has ended. */
  from(at: number): number;
  to(at: number): number;
}

const escapes = { n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' } as const;
const entities = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" } as const;
/** Shorter runs of base64 or hex hold nothing that is a secret. */
const shortestRun = 8;

/** The ways in which a secret may stand in a text. Each is linear in the text. */
export function views(text: string): View[] {
  const once = text.includes('\\') ? [withoutEscapes(text)] : [];
  // JSON that is told in JSON is escaped twice.
  const twice = once
    .filter(({ shown }) => shown.includes('\\'))
    .map((view) => within(view, withoutEscapes(view.shown)));
  return [
    { shown: text, from: (at) => at, to: (at) => at },
    ...once,
    ...twice,
    ...(text.includes('%') ? [substituted(text, /(?:%[0-9a-fA-F]{2})+/g, percentBytes)] : []),
    ...(text.includes('&') ? [substituted(text, /&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|([a-z]{2,4}));/g, entity)] : []),
    ...[...text.matchAll(/[A-Za-z0-9+/_-]+/g)].flatMap((run) => runViews(run[0], run.index)),
  ];
}

function withoutEscapes(text: string): View {
  return substituted(text, /\\(?:u([0-9a-fA-F]{4})|([!-/:-@[-`{-~nrtbf]))/g, unescaped);
}

/** A view of what a view shows. */
function within(outer: View, { shown, from, to }: View): View {
  return { shown, from: (at) => outer.from(from(at)), to: (at) => outer.to(to(at)) };
}

function unescaped([, code, letter = '']: RegExpExecArray): string {
  if (code !== undefined) return String.fromCharCode(Number.parseInt(code, 16));
  return letter in escapes ? escapes[letter as keyof typeof escapes] : letter;
}

function percentBytes([run]: RegExpExecArray): string {
  return Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8');
}

function entity([written, decimal, hex, name = '']: RegExpExecArray): string {
  if (name !== '') return name in entities ? entities[name as keyof typeof entities] : written;
  const point = decimal === undefined ? Number.parseInt(hex ?? '', 16) : Number(decimal);
  return point <= 0x10ffff ? String.fromCodePoint(point) : written;
}

/** @param pattern what is written in another way; between its matches the text is as it is */
function substituted(text: string, pattern: RegExp, meant: (match: RegExpExecArray) => string): View {
  const parts: string[] = [];
  /** Where each substitution stands: shown from, shown to, original from, original to. */
  const marks: [number, number, number, number][] = [];
  let [at, length] = [0, 0];
  for (const match of text.matchAll(pattern)) {
    const value = meant(match);
    parts.push(text.slice(at, match.index), value);
    length += match.index - at;
    marks.push([length, length + value.length, match.index, match.index + match[0].length]);
    length += value.length;
    at = match.index + match[0].length;
  }
  parts.push(text.slice(at));
  const before = (place: number): [number, number, number, number] | undefined => {
    let [low, high] = [0, marks.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((marks[middle]?.[0] ?? 0) <= place) low = middle + 1;
      else high = middle;
    }
    return marks[low - 1];
  };
  return {
    shown: parts.join(''),
    from(place) {
      const mark = before(place);
      if (mark === undefined) return place;
      return place < mark[1] ? mark[2] : mark[3] + place - mark[1];
    },
    to(place) {
      const mark = before(place - 1);
      if (mark === undefined) return place;
      return place <= mark[1] ? mark[3] : mark[3] + place - mark[1];
    },
  };
}

/** A run of base64 or hex, decoded from each place where a group of it may begin. What it holds is hidden with all of it. */
function runViews(run: string, start: number): View[] {
  if (run.length < shortestRun) return [];
  const decoded = [0, 1, 2, 3].map((shift) => Buffer.from(run.slice(shift), 'base64').toString('utf8'));
  if (/^[0-9a-fA-F]+$/.test(run)) {
    decoded.push(...[0, 1].map((shift) => Buffer.from(run.slice(shift), 'hex').toString('utf8')));
  }
  return decoded.map((shown) => ({ shown, from: () => start, to: () => start + run.length }));
}
