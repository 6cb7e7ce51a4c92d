import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeDir } from './default-store.ts';

test('the flag, then the environment, then the place that suits the user', () => {
  const HOME = '/home/ada';
  assert.equal(storeDir('here', { LOSSLOG_STORE: '/env', HOME }, 0), 'here');
  assert.equal(storeDir(undefined, { LOSSLOG_STORE: '/env', HOME }, 0), '/env');
  assert.equal(storeDir(undefined, { HOME }, 0), '/var/lib/losslog');
  assert.equal(storeDir(undefined, { HOME }, 1000), '/home/ada/.local/state/losslog');
  assert.equal(storeDir(undefined, { HOME, XDG_STATE_HOME: '/state' }, 1000), '/state/losslog');
  assert.equal(storeDir(undefined, { HOME, XDG_STATE_HOME: 'relative' }, 1000), '/home/ada/.local/state/losslog');
});
