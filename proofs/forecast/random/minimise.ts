import { isRecord } from '../../../shared/json.js';
import type { Question } from './case.js';

/**
 * A case with as little in it as still differs: fields are left out one after the other, for as long as that can be done.
 *
 * @param differs whether a case still does
 */
export async function minimised(
  question: Question,
  differs: (question: Question) => Promise<boolean>,
): Promise<Question> {
  let smallest = question;
  for (let changed = true; changed; ) {
    changed = false;
    for (const path of pathsOf(smallest)) {
      const smaller = without(smallest, path) as Question;
      if (!(await differs(smaller))) continue;
      smallest = smaller;
      changed = true;
      break;
    }
  }
  return smallest;
}

const needed =
  /^(?:now|renewalInfo|certificate|certificate\/(?:metadata|spec).?|certificate\/spec\/(?:secretName|issuerRef)|secret\/(?:metadata|data)|(?:current|next)\/(?:metadata|spec|spec\/request|spec\/issuerRef))$/;

function pathsOf(value: unknown, path: readonly string[] = []): string[][] {
  if (!isRecord(value) && !Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, one]) => {
    const here = [...path, key];
    const own = needed.test(here.join('/')) || one === null ? [] : [here];
    return [...own, ...pathsOf(one, here)];
  });
}

/** `secret`, `current` and `next` are not left out but said to be absent. */
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
