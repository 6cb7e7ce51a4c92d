/** The control group of a process, and the container that its path names. */

/** Hierarchies of v1 that runtimes put containers in, the most telling first. */
const V1_ORDER = [
  'memory',
  'pids',
  'cpu',
  'cpuacct',
  'devices',
  'freezer',
  'blkio',
  'cpuset',
  'net_cls',
  'name=systemd',
];

/**
 * The path to show of /proc/PID/cgroup (cgroups(7)): that of v2, unless it is the root and a v1 hierarchy has another.
 * @returns undefined when the text names no hierarchy.
 */
export function cgroupPath(text: string): string | undefined {
  const paths = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, hierarchy, controllers = '', path = ''] = /^(\d+):([^:]*):(.*)$/.exec(line) ?? [];
    if (hierarchy === undefined) continue;
    for (const controller of controllers.split(',')) paths.set(controller, withoutDeleted(path));
  }
  const v2 = paths.get('');
  if (v2 !== undefined && v2 !== '/') return v2;
  const ordered = [...V1_ORDER.map((controller) => paths.get(controller)), ...paths.values()];
  return ordered.find((path) => path !== undefined && path !== '/') ?? v2 ?? ordered.find((path) => path !== undefined);
}

/** The kernel marks a group that was removed while the process was in it (kernel/cgroup/cgroup.c, proc_cgroup_show). */
function withoutDeleted(path: string): string {
  return path.endsWith(' (deleted)') ? path.slice(0, -' (deleted)'.length) : path;
}

/**
 * How runtimes name the group of a container. Names of groups that only help a container (`crio-conmon-…`, `libpod-conmon-…`,
 * `lxc.monitor.…`, a pod's slice) match none of these.
 */
const CONTAINER_GROUPS: readonly RegExp[] = [
  // docker-ID.scope, cri-containerd-ID.scope, crio-ID, libpod-ID.scope, nerdctl-ID.scope; SLICE:cri-containerd:ID without systemd
  /^(?:[^/]*:)?(?:docker|cri-containerd|crio|libpod|libpod-payload|nerdctl|buildkit)[-:]([0-9a-f]{64})(?:\.scope)?$/,
  // /docker/ID, /kubepods/burstable/podUID/ID, /ecs/TASK/ID
  /^([0-9a-f]{64})$/,
  // /ecs/TASK/TASK-NUMBER on Fargate
  /^([0-9a-f]{32}-\d+)$/,
  // /garden/ID of Cloud Foundry
  /^([0-9a-f]{8}(?:-[0-9a-f]{4}){4})$/,
  /^lxc\.payload\.(.+)$/,
  /^systemd-nspawn@(.+)\.service$/,
  // What machined registers; libvirt's virtual machines (machine-qemu\x2d1\x2dNAME.scope) are no containers.
  /^machine-(?!qemu\\x2d)(.+)\.scope$/,
];
/** /lxc/NAME and /lxc.payload/NAME, of older LXC. */
const LXC_PARENTS = new Set(['lxc', 'lxc.payload']);

/** Id or name of the container that a cgroup path belongs to, of nested ones the innermost; undefined when it names none. */
export function containerIdOf(path: string): string | undefined {
  const groups = path.split('/');
  for (let i = groups.length - 1; i > 0; i--) {
    const group = groups[i] as string;
    for (const pattern of CONTAINER_GROUPS) {
      const id = pattern.exec(group)?.[1];
      if (id !== undefined) return unescapeUnit(id);
    }
    if (group !== '' && LXC_PARENTS.has(groups[i - 1] as string)) return group;
  }
  return undefined;
}

/** Undoes systemd's escaping of unit names (systemd.unit(5)): `\x2d` is a dash. */
function unescapeUnit(text: string): string {
  return text.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
