/** The loss on which sources are compared. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Family } from '../../lab/drop-rule.ts';
import type { Host } from '../../lab/host.ts';
import { holdConnection } from '../../lab/traffic.ts';

/** `the-holder` sends into an outage of so long, and is given as long again to send it once more. */
export async function sendIntoOutage(
  { client, server }: Record<'client' | 'server', Host>,
  { family, port, ms }: { family: Family; port: number; ms: number },
): Promise<void> {
  const holder = await holdConnection(client, { host: server.ip(family), port, title: 'the-holder' });
  const loss = server.dropMatching({ family, protocol: 'tcp', dport: port });
  await holder.tell('send 1009');
  await sleep(ms);
  loss.remove();
  await sleep(ms);
}
