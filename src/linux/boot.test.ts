import assert from 'node:assert/strict';
import { hostname, release } from 'node:os';
import { test } from 'node:test';
import { readBootIdentity } from './boot.ts';

test('this host', () => {
  const identity = readBootIdentity();
  assert.match(identity.bootId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.equal(identity.kernelRelease, release());
  assert.equal(identity.hostName, hostname());
});
