/** losslog as a user starts it. */

import { readFileSync } from 'node:fs';
import { Recorder } from '../../../lab/recorder.ts';
import { isInRetransSegs, segmentsOf } from '../../../lab/retransmissions.ts';
import { bytesBelow, type Contestant, type Running, type Tally, type Watch } from './contestant.ts';

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** The firewall's, which is what the loads cause; the kernel frees other packets besides. */
const REASON = ['--reason', 'NETFILTER_DROP'];

async function start({ hosts, events, cgroup, directory, unlimited = false }: Watch): Promise<Running> {
  const recorder = await Recorder.start({
    hosts,
    limited: !unlimited,
    storeDir: directory,
    prefix: cgroup.launcher(),
    args: events.includes('drop') ? [] : ['--no-drops'],
  });
  const stop = async (): Promise<Tally> => {
    await recorder.stop();
    const bytes = bytesBelow(directory);
    const resent = recorder.eventsOf('retransmit');
    const summaries = recorder.eventsOf('summary', ...REASON);
    const lost = recorder.gaps().filter(({ state }) => state === 'lost');
    return {
      retransmissions: resent.length,
      segments: segmentsOf(resent.filter(isInRetransSegs)),
      drops: recorder.eventsOf('drop', ...REASON).length,
      counted: summaries.reduce((sum, { events }) => sum + events, 0),
      toldLost: lost.reduce(
        (sum, { count = 0, kernel, recorded }) => sum + (kernel ? kernel - (recorded ?? 0) : count),
        0,
      ),
      bytes,
    };
  };
  return { pid: recorder.process.pid, stop, close: () => recorder.close() };
}

export const losslog: Contestant = {
  name: 'losslog',
  version: `losslog ${version}`,
  how: 'losslog record --netns HOST --netns HOST…',
  start,
};
