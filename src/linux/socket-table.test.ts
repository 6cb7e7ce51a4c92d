import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { test } from 'node:test';
import { formatIp } from '../base/ip.ts';
import { parseSocketTable, readSocketTable } from './socket-table.ts';

const TABLE = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0200000A:A3E1 01 00000000:00000000 00:00000000 00000000  1000        0 31337 1 0000000000000000 20 4 30 10 -1
   1: 0000000000000000FFFF000000000000:0050 0000000000000000FFFF00000100007F:0051 01 00000000:00000000 00:00000000 00000000     0        0 7 1 0
   2: B80D0120000000000000000001000000:01BB 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 0 1 0
   3: broken
`;

test('addresses of either family, mapped ones as IPv4', () => {
  const entries = [...parseSocketTable(TABLE)].map(({ local, remote, ...rest }) => ({
    local: formatIp(local),
    remote: formatIp(remote),
    ...rest,
  }));
  assert.deepEqual(entries, [
    { local: '127.0.0.1', localPort: 8080, remote: '10.0.0.2', remotePort: 41953, uid: 1000, inode: 31337n },
    { local: '0.0.0.0', localPort: 80, remote: '127.0.0.1', remotePort: 81, uid: 0, inode: 7n },
    { local: '2001:db8::1', localPort: 443, remote: '::', remotePort: 0, uid: 0, inode: 0n },
  ]);
  assert.deepEqual([...parseSocketTable('')], []);
});

test("this process's own connection", async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const entries = [...readSocketTable(process.pid)].filter(({ localPort }) => localPort === socket.localPort);
  assert.deepEqual(
    entries.map(({ remotePort, uid }) => ({ remotePort, uid })),
    [{ remotePort: socket.remotePort, uid: process.getuid?.() }],
  );
  socket.destroy();
  server.close();
});
