import { forecast } from '../../shared/certificates/forecast.js';
import { baseAt, type ForecastCase, forecastCases, newBase } from '../../shared/certificates/testing/cases.js';
import { moreCases } from './more-cases.js';

/** Longer than any run: what changes within it is not observed at a clock that cannot be stopped. */
const margin = 10 * 60_000;

/** The cases to run, how many of the unit test's cannot be run in a lab, by why, and how many this cert-manager has no field for. */
export interface Selection {
  cases: ForecastCase[];
  leftToUnitTests: { featureGate: number; calendar: number; toTheSecond: number };
  withoutField: number;
}

/**
 * The unit test's cases and those of this proof, moved to the present. A case that needs a feature gate, the very second of a
 * deadline or a day of the calendar stays with the unit test; `moreCases` has the same deadlines with a margin.
 *
 * @param version of cert-manager, with `v`
 * @param fields of a Certificate's spec that this version's CRD has
 */
export function casesAt(now: Date, version: string, fields: ReadonlySet<string>): Selection {
  const reference = newBase();
  const wanted = forecastCases(reference);
  const gated = (one: ForecastCase): boolean => one.input.renewalInfo === true;
  const calendar = (one: ForecastCase): boolean => one.input.certificate.spec.renewal?.windows !== undefined;
  const free = wanted.filter((one) => !gated(one) && !calendar(one));
  const runnable = free.filter((one) => isSteady(one, version));
  const moved = new Map<number, Map<string, ForecastCase>>();
  const casesFor = (age: number): Map<string, ForecastCase> => {
    const found =
      moved.get(age) ??
      new Map(forecastCases(baseAt(new Date(now.getTime() - age), reference)).map((one) => [one.name, one]));
    moved.set(age, found);
    return found;
  };
  const cases = runnable.flatMap((one) => {
    const age = one.input.now.getTime() - reference.times.notBefore.getTime();
    return casesFor(age).get(one.name) ?? [];
  });
  const all = [...cases, ...moreCases(now, reference)];
  const possible = all.filter(({ input }) => Object.keys(input.certificate.spec).every((name) => fields.has(name)));
  return {
    cases: possible,
    withoutField: all.length - possible.length,
    leftToUnitTests: {
      featureGate: wanted.filter(gated).length,
      calendar: wanted.filter((one) => !gated(one) && calendar(one)).length,
      toTheSecond: free.length - runnable.length,
    },
  };
}

function isSteady({ input }: ForecastCase, certManagerVersion: string): boolean {
  const own = { ...input, certManagerVersion };
  const later = { ...own, now: new Date(input.now.getTime() + margin) };
  return forecast(own).verdict === forecast(later).verdict;
}
