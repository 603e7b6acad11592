// One module for both clients, so that the bundle holds what they share once, in one chunk that is loaded when needed.
export { DefaultArtifactClient } from '@actions/artifact';
export { saveCache } from '@actions/cache';
