import { isRecord } from '../../../shared/json.js';

/**
 * A case with as little in it as still differs: fields are left out one after the other, for as long as that can be done.
 *
 * @param needed what is not left out
 * @param differs whether a case still does
 */
export async function minimised<Question extends object>(
  question: Question,
  needed: RegExp,
  differs: (question: Question) => Promise<boolean>,
): Promise<Question> {
  let smallest = question;
  for (let changed = true; changed; ) {
    changed = false;
    for (const path of pathsOf(smallest, needed)) {
      const smaller = without(smallest, path) as Question;
      if (!(await differs(smaller))) continue;
      smallest = smaller;
      changed = true;
      break;
    }
  }
  return smallest;
}

function pathsOf(value: unknown, needed: RegExp, path: readonly string[] = []): string[][] {
  if (!isRecord(value) && !Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    const here = [...path, key];
    const own = needed.test(here.join('/')) || one === null ? [] : [here];
    return [...own, ...pathsOf(one, needed, here)];
  });
}

/** What stands at the top, as `secret`, is not left out but said to be absent. */
function without(value: unknown, [key = '', ...rest]: readonly string[], isTop = true): unknown {
  if (Array.isArray(value)) {
    return rest.length === 0
      ? value.toSpliced(Number(key), 1)
      : value.with(Number(key), without(value[Number(key)], rest, false));
  }
  const record = value as Record<string, unknown>;
  if (rest.length > 0) return { ...record, [key]: without(record[key], rest, false) };
  if (isTop) return { ...record, [key]: null };
  const { [key]: _, ...others } = record;
  return others;
}
