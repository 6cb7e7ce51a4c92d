import { dropAtServer } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';

export default {
  description:
    'NAT of both addresses and the source port (masquerade --random-fully); the server drops every 13th packet',
  build: dropAtServer(['--random-fully']),
} satisfies Scenario;
