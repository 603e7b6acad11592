import { DefaultArtifactClient } from '@actions/artifact';
import { getInput } from '@actions/core';

/** Stands in for actions/download-artifact, of this run or of another one, through GitHub's own client. */
const [owner = '', repository = ''] = (process.env.GITHUB_REPOSITORY ?? '').split('/');
const runId = getInput('run-id');
const findBy = {
  workflowRunId: Number(runId),
  repositoryOwner: owner,
  repositoryName: repository,
  token: getInput('github-token'),
};
const options = runId === '' ? {} : { findBy };
const client = new DefaultArtifactClient();
const { artifact } = await client.getArtifact(getInput('name'), options);
await client.downloadArtifact(artifact.id, { path: getInput('path'), ...options });
