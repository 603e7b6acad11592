import { stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { DefaultArtifactClient } from '@actions/artifact';
import { getInput, setFailed, setOutput } from '@actions/core';
import { filesBelow } from './files.js';

/** Stands in for actions/upload-artifact, for one file or folder, through GitHub's own client. */
const path = resolve(getInput('path'));
const isFolder = (await stat(path)).isDirectory();
const folder = isFolder ? path : dirname(path);
const files = isFolder ? await filesBelow(path) : [join(folder, basename(path))];
const days = getInput('retention-days');
if (files.length === 0) setFailed(`no files in ${path}`);
else {
  const options = days === '' ? {} : { retentionDays: Number(days) };
  const { id } = await new DefaultArtifactClient().uploadArtifact(getInput('name'), files, folder, options);
  setOutput('artifact-id', id);
}
