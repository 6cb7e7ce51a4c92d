/** Why packets were lost: verdicts and incidents from what a store holds. */

export type { ExplainOptions } from './cases.ts';
export { evidenceOf } from './evidence.ts';
export { explainPeriod } from './incidents.ts';
export { incidentJson, storyJson } from './json.ts';
export { connectionStory } from './story.ts';
export type { Advice, Incident, Place, Story, StoryStep, Sureness } from './types.ts';
