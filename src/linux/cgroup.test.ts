import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cgroupPath, containerIdOf } from './cgroup.ts';

const ID = '0123456789abcdef'.repeat(4);
const TASK = '0123456789abcdef'.repeat(2);
const POD = '2cb3f3f5-6f3c-4d52-9e5c-6a1d0f2f7a11';

const paths: readonly (readonly [about: string, text: string, path: string | undefined])[] = [
  ['v2', '0::/system.slice/nginx.service\n', '/system.slice/nginx.service'],
  ['v2, the root', '0::/\n', '/'],
  ['v1', `12:pids:/docker/${ID}\n3:cpu,cpuacct:/docker/${ID}\n1:name=systemd:/docker/${ID}\n`, `/docker/${ID}`],
  [
    'hybrid: v2 has only the root',
    '9:name=systemd:/init.scope\n8:pids:/\n4:memory:/jobs/a\n1:cpu:/jobs/b\n0::/\n',
    '/jobs/a',
  ],
  ['hybrid: v2 has the path', '4:memory:/jobs/a\n0::/user.slice\n', '/user.slice'],
  ['hybrid: all are the root', '4:memory:/\n1:cpu:/\n0::/\n', '/'],
  ['v1, all are the root', '4:memory:/\n1:cpu:/\n', '/'],
  ['v1, joint hierarchy', '3:cpu,cpuacct:/build\n2:memory:/\n', '/build'],
  ['an unusual hierarchy', '2:rdma:/special\n1:memory:/\n', '/special'],
  ['a colon in the path', '0::/kubepods.slice:cri-containerd:x\n', '/kubepods.slice:cri-containerd:x'],
  ['removed while the process was in it', '0::/jobs/a (deleted)\n', '/jobs/a'],
  ['nothing', '', undefined],
];

for (const [about, text, path] of paths) {
  test(`path to show: ${about}`, () => assert.equal(cgroupPath(text), path));
}

const containers: readonly (readonly [path: string, id: string | undefined])[] = [
  [`/system.slice/docker-${ID}.scope`, ID],
  [`/docker/${ID}`, ID],
  [`/docker/${ID}/init.scope`, ID],
  [`/docker/${TASK.repeat(2)}/kubelet/kubepods/pod${POD}/${'f'.repeat(64)}`, 'f'.repeat(64)],
  [`/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod2cb3f3f5_6f3c.slice/cri-containerd-${ID}.scope`, ID],
  [`/system.slice/containerd.service/kubepods-burstable-pod2cb3f3f5_6f3c.slice:cri-containerd:${ID}`, ID],
  [`/kubepods.slice/kubepods-pod2cb3f3f5_6f3c.slice/crio-${ID}.scope`, ID],
  [`/kubepods.slice/kubepods-pod2cb3f3f5_6f3c.slice/crio-${ID}.scope/container`, ID],
  [`/kubepods.slice/kubepods-pod2cb3f3f5_6f3c.slice/crio-conmon-${ID}.scope`, undefined],
  [`/kubepods/burstable/pod${POD}/${ID}`, ID],
  [`/kubepods/besteffort/pod${POD}`, undefined],
  [`/machine.slice/libpod-${ID}.scope`, ID],
  [`/machine.slice/libpod-${ID}.scope/container`, ID],
  [`/machine.slice/libpod-conmon-${ID}.scope`, undefined],
  [`/machine.slice/machine-libpod_pod_${ID}.slice/libpod-${ID}.scope`, ID],
  [`/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-${ID}.scope/container`, ID],
  [`/libpod_parent/libpod-${ID}`, ID],
  [`/system.slice/podman.service/libpod-payload-${ID}`, ID],
  [`/user.slice/nerdctl-${ID}.scope`, ID],
  [`/ecs/${TASK}/${ID}`, ID],
  [`/ecs/${TASK}/${TASK}-1234567890`, `${TASK}-1234567890`],
  [`/ecs/${TASK}`, undefined],
  ['/system.slice/garden.service/garden/34868bfc-1d69-4a0f-76fb-8e3c', '34868bfc-1d69-4a0f-76fb-8e3c'],
  ['/lxc/web', 'web'],
  ['/lxc/web/system.slice/nginx.service', 'web'],
  ['/lxc.payload.web/system.slice/nginx.service', 'web'],
  ['/lxc.payload/web/init.scope', 'web'],
  ['/lxc.monitor.web', undefined],
  [`/lxc.payload.web/system.slice/docker-${ID}.scope`, ID],
  ['/machine.slice/machine-debian\\x2dtest.scope/payload', 'debian-test'],
  ['/machine.slice/systemd-nspawn@debian.service/payload', 'debian'],
  ['/machine.slice/machine-qemu\\x2d1\\x2dguest.scope/libvirt', undefined],
  ['/system.slice/nginx.service', undefined],
  ['/user.slice/user-1000.slice/session-1.scope', undefined],
  [`/system.slice/docker-${ID.slice(1)}.scope`, undefined],
  ['/', undefined],
  ['', undefined],
];

for (const [path, id] of containers) {
  test(`container of ${path}`, () => assert.equal(containerIdOf(path), id));
}
