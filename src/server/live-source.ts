/** Feeds the live stream from a store that another process writes; looks at it only while somebody looks on. */

import { StoreFollower } from '../store/follow.ts';
import { LiveHub } from './live.ts';

/** Events are committed twice a second; looking more often would show nothing sooner. */
const LOOK_MS = 250;

/** @param onError told when following fails; it goes on */
export function followingHub(storeDir: string, onError: (error: unknown) => void): LiveHub {
  let timer: NodeJS.Timeout | undefined;
  let follower: StoreFollower | undefined;
  const look = (): void => {
    try {
      const { events, passedOver } = (follower as StoreFollower).read();
      hub.write(events);
      hub.lose(passedOver);
    } catch (error) {
      onError(error);
    }
  };
  const hub = new LiveHub((isWanted) => {
    clearInterval(timer);
    follower = isWanted ? new StoreFollower(storeDir) : undefined;
    if (isWanted) timer = setInterval(look, LOOK_MS);
  });
  return hub;
}
