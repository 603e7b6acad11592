import { installCertManager } from '../../lab/platform/cert-manager.js';
import { type Forecast, forecast } from '../../shared/certificates/forecast.js';
import { baseAt, newBase } from '../../shared/certificates/testing/cases.js';
import { newestCertManager } from '../../shared/certificates/version.js';
import { kinds } from '../../shared/cluster/objects.js';
import type { Figures, Proof, ProofContext } from '../support/proof.js';
import { inWorld, type World } from '../world/world.js';
import { casesAt } from './cases.js';
import { controllerVersion, specFields, stopController } from './controller.js';
import { makeCanaries, type Observed, observe } from './experiment.js';
import { makeCases, readSubjects, type Subject } from './objects.js';
import { compareRandom } from './random/random.js';

const fewestCases = 60;
const verdicts = ['keep', 'order', 'blocked', 'not-owner'] as const;
const checks = [1, 2, 3, 4, 5, 6, 7, 8, 9] as const;
const tenDays = 10 * 24 * 3_600_000;

/** The forecast of every Certificate next to what cert-manager's own controllers did with it. */
export const forecastProof: Proof = {
  name: 'forecast',
  claim: 'for every case, the forecast’s verdict and reason are those of the real cert-manager',
  run: prove,
  inTable: ({ certificates, equal }) => `${equal} of ${certificates} as forecast`,
};

/** On a cluster; with `--cases` over random cases and without one; in small both, as both are cheap then. */
async function prove(context: ProofContext): Promise<Figures> {
  if (context.flags.cases !== undefined) return compareRandom(context);
  const observed = await inWorld(context, [], (world) => compareAll(context, world));
  return context.small ? { ...observed, random: await compareRandom(context) } : observed;
}

/** One Certificate, forecast and observed. */
interface Compared {
  subject: Subject;
  forecast: Forecast;
  observed: Observed;
}

async function compareAll(context: ProofContext, { cluster, state, meter }: World) {
  await installCertManager(cluster, state.program);
  await stopController(cluster, state);
  const now = new Date(Math.floor((cluster.serverTime() ?? new Date()).getTime() / 1000) * 1000);
  const version = await controllerVersion(cluster);
  const { cases, leftToUnitTests, withoutField } = casesAt(now, version, await specFields(cluster));
  context.progress(`  making ${cases.length} cases while cert-manager is stopped`);
  await makeCases(cluster, cases);
  await makeCanaries(cluster, baseAt(new Date(now.getTime() - tenDays), newBase()));
  const subjects = await readSubjects(cluster, cases, version);
  const forecasts = new Map(subjects.map((subject) => [subject, forecast(subject.input)]));
  context.progress(`  starting cert-manager over ${subjects.length} Certificates`);
  const observations = await observe(cluster, state, subjects);
  const compared = [...observations].flatMap(([subject, observed]) => {
    const found = forecasts.get(subject);
    return found === undefined ? [] : [{ subject, forecast: found, observed }];
  });
  const { orders } = await meter();
  const orderObjects = (await cluster.list(kinds.order)).items.length;
  const wrong = [
    ...compared.filter((one) => !isEqual(one)).map(describe),
    ...compared.filter(hasLostItsCase).map(({ subject }) => `${subject.one.name}: is forecast otherwise in the lab`),
    ...blindSpots(compared),
  ];
  for (const what of wrong) context.fail(what);
  context.expect(cases.length >= fewestCases, `only ${cases.length} cases were run`);
  context.expect(compared.length >= cases.length, `only ${compared.length} Certificates were observed`);
  context.expect(orders.length + orderObjects === 0, 'something was ordered, although no issuer was there');
  const ordering = compared.filter(({ observed }) => observed.message !== undefined);
  return {
    cases: cases.length,
    certificates: compared.length,
    equal: compared.filter(isEqual).length,
    messagesEqual: `${ordering.filter(hasEqualMessage).length} of ${ordering.length}`,
    byVerdict: counts(compared.map(({ observed }) => observed.verdict)),
    byReason: counts(compared.flatMap(({ observed }) => observed.reason ?? [])),
    byCheck: counts(compared.filter(isIssued).flatMap(({ forecast: { check } }) => check ?? [])),
    orders: orders.length,
    leftToUnitTests,
    withoutField,
  };
}

function isEqual({ forecast: forecasted, observed }: Compared): boolean {
  return forecasted.verdict === observed.verdict && forecasted.reason === observed.reason;
}

function isIssued({ observed }: Compared): boolean {
  return observed.reason !== undefined;
}

/** cert-manager tells of a back-off only in its log, and then why it issues when that is over. */
function hasEqualMessage({ forecast: { message }, observed }: Compared): boolean {
  return observed.verdict === 'blocked' ? message.endsWith(observed.message ?? '') : message === observed.message;
}

/**
 * Whether a case came out of the API server as another one, by defaulting or by the time that passed. What it was is written in
 * the case for the newest cert-manager; what an older one makes of it is told by the forecast, from what was sent.
 */
function hasLostItsCase({ subject: { main, one, input }, forecast: forecasted }: Compared): boolean {
  const { certManagerVersion, now } = input;
  const sent = certManagerVersion === newestCertManager ? one : forecast({ ...one.input, certManagerVersion, now });
  return main && (forecasted.verdict !== sent.verdict || forecasted.reason !== sent.reason);
}

function describe({ subject, forecast: forecasted, observed }: Compared): string {
  const { one, main, input } = subject;
  const name = main ? one.name : `${one.name} (${input.certificate.metadata.name})`;
  const text = (of: { verdict: string; reason: string | undefined; message: string | undefined }): string =>
    [of.verdict, of.reason, of.message && `(${of.message})`].filter(Boolean).join(' ');
  return `${name}: forecast ${text(forecasted)}; cert-manager ${text(observed)}`;
}

/** What a wrong forecast could get away with: a verdict that cert-manager was never seen to reach, or a check that never failed. */
function blindSpots(compared: readonly Compared[]): string[] {
  const failed = new Set(compared.filter(isIssued).map(({ forecast: { check } }) => check));
  return [
    ...verdicts
      .filter((verdict) => !compared.some(({ observed }) => observed.verdict === verdict))
      .map((verdict) => `cert-manager was never seen to reach the verdict ${verdict}`),
    ...checks.filter((check) => !failed.has(check)).map((check) => `check ${check} was never seen to fail`),
  ];
}

function counts(values: readonly (string | number)[]): Record<string, number> {
  return Object.fromEntries([...Map.groupBy(values, String)].map(([value, found]) => [value, found.length]));
}
