// One module for both clients, so that what they share is bundled once. dist/ has it as a file of the same name.
export { DefaultArtifactClient } from '@actions/artifact';
export { saveCache } from '@actions/cache';
