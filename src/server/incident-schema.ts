/** The JSON Schema of an incident. */

import { type Amount, type Place, SURENESS } from '../explain/types.ts';
import type { Schema } from './parameter.ts';
import { countSchema, timeSchema } from './schemas.ts';

const textSchema = (description: string): Schema => ({ type: 'string', description });
const listOf = (items: Schema, description: string): Schema => ({ type: 'array', items, description });
const named = (name: string): Schema => ({
  type: 'object',
  required: [name, 'events'],
  properties: { [name]: { type: 'string' }, events: countSchema('How many events of the incident are of it.') },
});

/** Where it happened; each absent where it is unknown or differs. */
const place: Readonly<Record<keyof Place, Schema>> = {
  netns: countSchema('Inode number of the network namespace.'),
  netnsName: textSchema('Name of the namespace.'),
  device: textSchema('Network device.'),
  location: textSchema('Function of the kernel that freed the packets.'),
  reason: textSchema('Reason of the drops or resets, or the error of failed retransmissions.'),
  direction: textSchema('Way of the packets through the namespace, or of the resets.'),
};

const { lossRatio, ...amount }: Readonly<Record<keyof Amount, Schema>> = {
  retransmissions: countSchema('Retransmit events that it explains.'),
  segments: countSchema('TCP segments in them.'),
  drops: countSchema('Drops in it.'),
  resets: countSchema('Resets in it.'),
  counted: countSchema('Growth of counters of the kernel that tell of losses without an event.'),
  lossRatio: {
    type: 'number',
    minimum: 0,
    description: 'Segments sent again by segments sent, of its connections that were reported; absent when none was.',
  },
};

/** As incidentJson() writes it; docs/why.md explains the fields. */
export const incidentSchema: Schema = {
  type: 'object',
  required: [
    'kind',
    'incident',
    'rule',
    'title',
    'from',
    'until',
    'sureness',
    'harm',
    ...Object.keys(amount),
    'connections',
    'processes',
    'containers',
    'peers',
    'timeline',
    'restsOn',
    'alternatives',
    'advice',
  ],
  properties: {
    kind: { const: 'incident' },
    incident: textSchema('Its id.'),
    rule: textSchema('The rule that explains it.'),
    title: textSchema('One line in plain words.'),
    from: timeSchema('Time of its first event.'),
    until: timeSchema('Time of its last event.'),
    sureness: { type: 'string', enum: SURENESS },
    harm: { type: 'number', description: 'For sorting.' },
    harmless: { const: true, description: 'It cost nothing: shown with all=true only. Absent otherwise.' },
    examined: {
      type: 'number',
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'The part of the events of the period that was examined; the numbers are reckoned from it. Absent: all.',
    },
    ...place,
    ...amount,
    lossRatio,
    connections: countSchema('Connections that it hit.'),
    restsOn: listOf({ type: 'string' }, 'What the verdict rests on.'),
    alternatives: listOf({ type: 'string' }, 'What else it could be.'),
    advice: listOf(
      {
        type: 'object',
        required: ['text'],
        properties: { text: { type: 'string' }, command: textSchema('A command line to run as root on this host.') },
      },
      'What to do about it.',
    ),
    processes: listOf(named('process'), 'Whom it hit, the most frequent first.'),
    containers: listOf(named('container'), 'Whom it hit, the most frequent first.'),
    peers: listOf(named('peer'), 'Whom it hit, the most frequent first.'),
    timeline: {
      type: 'object',
      required: ['from', 'stepMs', 'events'],
      properties: {
        from: timeSchema('Begin of the first step.'),
        stepMs: { type: 'number' },
        events: { type: 'array', items: { type: 'integer' } },
      },
    },
  },
};
