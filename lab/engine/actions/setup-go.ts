import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { getInput, info, setFailed } from '@actions/core';

/** Stands in for actions/setup-go: the Go of the machine is taken if it is new enough. */
const file = getInput('go-version-file');
const said = file === '' ? `go ${getInput('go-version')}` : readFileSync(file, 'utf8');
const wanted = /^go (\d+)\.(\d+)/m.exec(said);
const version = execFileSync('go', ['env', 'GOVERSION'], { encoding: 'utf8' }).trim();
const [, major = '0', minor = '0'] = /^go(\d+)\.(\d+)/.exec(version) ?? [];
const isEnough =
  wanted !== null && (Number(major) > Number(wanted[1]) || (major === wanted[1] && Number(minor) >= Number(wanted[2])));
if (isEnough) info(`${version} is new enough`);
else setFailed(`wanted is ${wanted?.[0] ?? 'no version'}, and this machine has ${version}`);
