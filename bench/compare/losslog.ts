/** What losslog tells of a scenario: the events that are not benign, and the first incident. */

import type { Played } from '../../lab/scenario/play.ts';
import { countEach, isOwner, type Told } from './told.ts';

interface Incident {
  rule: string;
  title: string;
  sureness: string;
  netns?: number;
}

export function toldByLosslog({ stage, recorder }: Played): Told {
  const resent = recorder.eventsOf('retransmit');
  const drops = recorder.eventsOf('drop').filter((drop) => drop.class !== 'benign');
  const owners = [...resent, ...drops].map(({ process }) => process);
  const [line] = recorder.losslog('why', '--json', '--limit', '1').split('\n').filter(Boolean);
  const first = line === undefined ? undefined : (JSON.parse(line) as Incident);
  const { rule, at } = stage.expected;
  const netns = at === undefined ? undefined : stage.hosts[at]?.netns;
  const isRight = first?.rule === rule && (netns === undefined || first?.netns === netns);
  const missed = recorder
    .eventsOf('coverage')
    .filter(({ state }) => state === 'lost')
    .map(({ counter, recorded, kernel, count }) =>
      counter ? `recorded ${recorded} of ${kernel} ${counter}` : `${count} events lost`,
    );
  return {
    resent: resent.reduce((sum, { segments }) => sum + (segments ?? 1), 0),
    groups: countEach(drops.map(({ reason, location }) => `${reason} in ${location?.replace(/\+0x.*/, '') ?? '?'}`)),
    owner: { right: owners.filter(isOwner).length, of: owners.length },
    ...(missed.length > 0 && { missed: missed.join(', ') }),
    verdict: { text: first ? `${first.rule} (${first.sureness}): ${first.title}` : 'nothing', isRight },
  };
}
