import { dropAtServer } from '../scenario/nat.ts';
import type { Scenario } from '../scenario/scenario.ts';

export default {
  description: 'a router translates both addresses (DNAT and masquerade); the server behind it drops every 13th packet',
  build: dropAtServer(),
} satisfies Scenario;
