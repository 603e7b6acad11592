import { recordsAt, textAt } from '../../cluster/fields.js';
import type { KubeObject } from '../../cluster/objects.js';
import type { ContainerTrouble } from '../../cluster/workloads.js';
import { type Cause, eventsOf } from './cause.js';
import { imageCause, isAboutImage, otherProcessor } from './image-causes.js';
import { lastProbe } from './probe-causes.js';

/** What runc says of a program that the processor does not know: in the pod's status, or in the container's log only. */
const foreignProgram = /exec format error/;

/** A finding about a container that keeps ending, by the last lines of its log: some causes stand nowhere else. */
export function withCauseOfLog<T extends Omit<Cause, 'evidence'>>(finding: T, lines: readonly string[]): T {
  const isForeign = finding.code === 'pod-crash-loop' && lines.some((line) => foreignProgram.test(line));
  return isForeign ? { ...finding, ...otherProcessor } : finding;
}

/** Why a container of a pod does not run, by its status and the warnings about its pod. */
export function containerCause(pod: KubeObject, trouble: ContainerTrouble, warnings: readonly KubeObject[]): Cause {
  const { container, reason, ended, message, exitCode, restarts } = trouble;
  if (isAboutImage(trouble)) {
    return imageCause(
      trouble,
      eventsOf(pod, warnings).filter((text) => /pull|image/i.test(text)),
    );
  }
  const evidence = [
    `${trouble.role} ${container}: ${reason}${exitCode === undefined ? '' : `, exit code ${exitCode}`}, ${restarts} restarts${message === '' ? '' : `: ${message}`}`,
  ];
  const where = `-n ${pod.metadata.namespace} ${pod.metadata.name}`;
  if (reason === 'CreateContainerConfigError') {
    return {
      code: 'pod-config',
      cause: configCause(message),
      evidence,
      remedy: `make the Secret, ConfigMap or key that the message names: \`kubectl describe pod ${where}\``,
    };
  }
  if (foreignProgram.test(message)) return { ...otherProcessor, evidence };
  if (
    /^(?:RunContainer|CreateContainer|Start|(?:PostStart|PreStart|PreCreate)Hook)Error$|CannotRun/.test(
      `${ended || reason}`,
    )
  ) {
    return {
      code: 'pod-config',
      cause: startCause(trouble),
      evidence,
      remedy: `correct the command, the image or the hook: \`kubectl describe pod ${where}\``,
    };
  }
  return {
    code: 'pod-crash-loop',
    cause: crashCause(pod, trouble, warnings),
    evidence,
    remedy: `\`kubectl logs ${where} -c ${container} --previous\``,
  };
}

/** What a container lacks to be made, by the kubelet's words. */
function configCause(message: string): string {
  const [, kind = '', name] = /(secret|configmap) "([^"]+)" not found/.exec(message) ?? [];
  if (name !== undefined) {
    return `its container cannot be made: ${kind === 'secret' ? 'Secret' : 'ConfigMap'} ${name} is not there`;
  }
  const [, key, of, holder = ''] = /couldn't find key (\S+) in (Secret|ConfigMap) (\S+)/.exec(message) ?? [];
  if (key !== undefined) {
    return `its container cannot be made: ${of} ${holder.split('/').at(-1)} has no key ${key}`;
  }
  return /runAsNonRoot/.test(message)
    ? 'its container cannot be made: its image would run as root, which its securityContext forbids'
    : 'its container cannot be made from its configuration';
}

function startCause({ reason, ended, message, role, container }: ContainerTrouble): string {
  const who = nameOf(role, container);
  const [, program] = /exec: "([^"]+)"/.exec(message) ?? [];
  const named = program === undefined ? 'its program' : program;
  if (/no such file or directory|executable file not found/.test(message)) {
    return `${who} cannot be started: its image has no ${program ?? 'such program'}`;
  }
  if (/permission denied/.test(message)) return `${who} cannot be started: ${named} may not be executed`;
  if (/Hook/.test(`${reason} ${ended}`)) return `${who} cannot be started: its hook fails`;
  if (/deadline exceeded|is reserved for/.test(message)) return `${who} is not started yet: its node is slow`;
  return `${who} cannot be started`;
}

function crashCause(
  pod: KubeObject,
  { role, container, ended, exitCode }: ContainerTrouble,
  warnings: readonly KubeObject[],
): string {
  const who = nameOf(role, container);
  if (ended === 'OOMKilled') {
    const limit = limitOf(pod, container);
    return `${who} is killed for its memory${limit === '' ? '' : `: its limit is ${limit}`}`;
  }
  const probe = lastProbe([pod], warnings);
  if (probe !== undefined && /Liveness|Startup/.test(probe.type)) {
    return `${who} is killed as its ${probe.type.toLowerCase()} probe fails: ${probe.answer}`;
  }
  return exitCode === 0 ? `${who} ends, with exit code 0, where it should run` : `${who} keeps crashing`;
}

function nameOf(role: ContainerTrouble['role'], container: string): string {
  return role === 'container' ? 'its container' : `its ${role} ${container}`;
}

function limitOf(pod: KubeObject, container: string): string {
  const found = ['containers', 'initContainers']
    .flatMap((list) => recordsAt(pod, 'spec', list))
    .find(({ name }) => name === container);
  return textAt(found, 'resources', 'limits', 'memory');
}
