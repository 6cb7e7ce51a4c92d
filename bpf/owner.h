/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Who owns a socket. The current task is only believed while it holds the socket's user lock
 * (sk_lock.owned): softirq code never touches a socket that is owned (tcp_v4_rcv, tcp_write_timer and friends check
 * sock_owned_by_user), so then the current task is inside a system call on this very socket.
 */
#ifndef LOSSLOG_OWNER_H
#define LOSSLOG_OWNER_H

#define CGROUP_LEVELS 8

static __noinline void remember_cgroup_path(struct cgroup *cgroup, const struct cgroup_key *key)
{
	__u32 zero = 0;
	__u64 offset = 0;
	struct cgroup_path *path;

	if (bpf_map_lookup_elem(&cgroup_paths, key))
		return;
	path = bpf_map_lookup_elem(&cgroup_scratch, &zero);
	if (!path)
		return;
	path->truncated = 0;
	for (int i = 0; i < CGROUP_LEVELS; i++) {
		const char *name;
		long written;

		if (!cgroup || BPF_CORE_READ(cgroup, level) <= 0)
			break;
		if (offset >= CGROUP_PATH_SIZE || i == CGROUP_LEVELS - 1) {
			path->truncated = 1;
			break;
		}
		name = BPF_CORE_READ(cgroup, kn, name);
		/* in assembler, since clang would drop the mask for a bound that the verifier does not see */
		asm volatile("%0 &= %1" : "+r"(offset) : "i"(CGROUP_PATH_SIZE - 1));
		written = bpf_probe_read_kernel_str(&path->names[offset], CGROUP_NAME_SIZE, name);
		if (written <= 0)
			break;
		offset += written;
		cgroup = BPF_CORE_READ(cgroup, self.parent, cgroup);
	}
	path->length = offset;
	bpf_map_update_elem(&cgroup_paths, key, path, BPF_ANY);
}

/* The v2 cgroup; where that is only the root, the first v1 hierarchy that says more. */
static __always_inline struct cgroup *cgroup_of(struct task_struct *task, __u8 *hierarchy)
{
	struct css_set *css_set = BPF_CORE_READ(task, cgroups);
	struct cgroup *cgroup = BPF_CORE_READ(css_set, dfl_cgrp);
	int subsystems[3] = {
		bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id) ?
			(int)bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id) : -1,
		bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id) ?
			(int)bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id) : -1,
		bpf_core_enum_value_exists(enum cgroup_subsys_id, cpu_cgrp_id) ?
			(int)bpf_core_enum_value(enum cgroup_subsys_id, cpu_cgrp_id) : -1,
	};

	*hierarchy = 0;
	if (BPF_CORE_READ(cgroup, level) > 0)
		return cgroup;
#pragma unroll
	for (int i = 0; i < 3; i++) {
		struct cgroup_subsys_state *css = NULL;
		struct cgroup *v1;

		if (subsystems[i] < 0)
			continue;
		bpf_probe_read_kernel(&css, sizeof(css), (void *)&css_set->subsys + sizeof(css) * subsystems[i]);
		v1 = BPF_CORE_READ(css, cgroup);
		if (v1 && BPF_CORE_READ(v1, level) > 0) {
			*hierarchy = 1 + subsystems[i];
			return v1;
		}
	}
	return cgroup;
}

static __always_inline void describe_task(struct task_struct *task, __u8 how, struct owner *owner)
{
	struct cgroup_key key = {};
	struct cgroup *cgroup = cgroup_of(task, &owner->cgroup_hierarchy);

	owner->pid = BPF_CORE_READ(task, tgid);
	owner->how = how;
	BPF_CORE_READ_STR_INTO(&owner->comm, task, group_leader, comm);
	owner->cgroup_id = BPF_CORE_READ(cgroup, kn, id);
	key.id = owner->cgroup_id;
	key.hierarchy = owner->cgroup_hierarchy;
	remember_cgroup_path(cgroup, &key);
}

/* The current task, if it is a process inside a system call on `sk`; NULL otherwise. */
static __always_inline struct task_struct *task_in_syscall_on(const struct sock *sk)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();

	if (!BPF_CORE_READ(sk, sk_lock.owned) || (BPF_CORE_READ(task, flags) & PF_KTHREAD))
		return NULL;
	return task;
}

/* The inode of the socket's file, as in /proc/PID/fd; 0 before accept() and after close(). */
static __always_inline __u64 socket_inode(const struct sock *sk)
{
	struct socket *socket = BPF_CORE_READ(sk, sk_socket);

	return socket ? BPF_CORE_READ((struct socket_alloc *)socket, vfs_inode.i_ino) : 0;
}

static __always_inline void find_owner(const struct sock *sk, __u64 inode, struct owner *owner)
{
	__u64 key = (__u64)sk;
	struct noted_owner *noted;
	struct task_struct *task = task_in_syscall_on(sk);

	if (task) {
		describe_task(task, OWNER_SYSCALL, owner);
		return;
	}
	noted = bpf_map_lookup_elem(&owners, &key);
	if (noted && (!inode || noted->inode == inode))
		__builtin_memcpy(owner, &noted->owner, sizeof(*owner));
}

#endif
