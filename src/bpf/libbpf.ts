/**
 * The functions of the system's libbpf and libc that losslog calls, bound by koffi. The newest symbol is of libbpf 0.8,
 * so that every libbpf.so.1 will do.
 */

import koffi, { type LibraryHandle } from 'koffi';
import { LosslogError } from '../base/errors.ts';

/** An address in this process, as koffi hands it out; null where C returns NULL. */
export type Pointer = unknown;

const LIBBPF_NAMES = ['libbpf.so.1'];
const LIBC_NAMES = ['libc.so.6', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'];

const libbpfPrototypes = {
  libbpf_set_print: 'void *libbpf_set_print(void *fn)',
  bpf_object__open_mem: 'void *bpf_object__open_mem(const void *buf, size_t size, const void *opts)',
  bpf_object__load: 'int bpf_object__load(void *obj)',
  bpf_object__close: 'void bpf_object__close(void *obj)',
  bpf_object__find_map_by_name: 'void *bpf_object__find_map_by_name(void *obj, const char *name)',
  bpf_object__find_program_by_name: 'void *bpf_object__find_program_by_name(void *obj, const char *name)',
  bpf_map__fd: 'int bpf_map__fd(void *map)',
  bpf_map__max_entries: 'uint32_t bpf_map__max_entries(void *map)',
  bpf_map__set_max_entries: 'int bpf_map__set_max_entries(void *map, uint32_t entries)',
  bpf_map__initial_value: 'void *bpf_map__initial_value(void *map, _Out_ size_t *size)',
  bpf_map_lookup_elem: 'int bpf_map_lookup_elem(int fd, const void *key, void *value)',
  bpf_map_update_elem: 'int bpf_map_update_elem(int fd, const void *key, const void *value, uint64_t flags)',
  bpf_map_lookup_batch:
    'int bpf_map_lookup_batch(int fd, const void *in, void *out, void *keys, void *values, _Inout_ uint32_t *count, const void *opts)',
  bpf_map_delete_batch: 'int bpf_map_delete_batch(int fd, const void *keys, _Inout_ uint32_t *count, const void *opts)',
  bpf_program__set_autoload: 'int bpf_program__set_autoload(void *prog, bool load)',
  bpf_program__attach: 'void *bpf_program__attach(void *prog)',
  bpf_program__fd: 'int bpf_program__fd(void *prog)',
  bpf_program__name: 'const char *bpf_program__name(void *prog)',
  bpf_object__next_program: 'void *bpf_object__next_program(void *obj, void *prog)',
  bpf_object__next_map: 'void *bpf_object__next_map(void *obj, void *map)',
  bpf_map__name: 'const char *bpf_map__name(void *map)',
  bpf_map_create:
    'int bpf_map_create(int type, const char *name, uint32_t key_size, uint32_t value_size, uint32_t max_entries, const void *opts)',
  bpf_obj_pin: 'int bpf_obj_pin(int fd, const char *path)',
  bpf_obj_get: 'int bpf_obj_get(const char *path)',
  bpf_obj_get_info_by_fd: 'int bpf_obj_get_info_by_fd(int fd, _Inout_ void *info, _Inout_ uint32_t *length)',
  bpf_link_create: 'int bpf_link_create(int prog_fd, int target_fd, int attach_type, const void *opts)',
  bpf_link__fd: 'int bpf_link__fd(void *link)',
  bpf_link__destroy: 'int bpf_link__destroy(void *link)',
  bpf_iter_create: 'int bpf_iter_create(int link_fd)',
} as const;

const libcPrototypes = {
  mmap: 'void *mmap(void *addr, size_t length, int prot, int flags, int fd, int64_t offset)',
  munmap: 'int munmap(void *addr, size_t length)',
  sysconf: 'long sysconf(int name)',
  syscall: 'long syscall(long number, long first, long second, long third)',
  eventfd: 'int eventfd(unsigned int count, int flags)',
  vsnprintf: 'int vsnprintf(_Out_ void *buf, size_t size, const char *format, void *args)',
} as const;

type KoffiFunction = ReturnType<LibraryHandle['func']>;
type Functions<T> = { [N in keyof T]: KoffiFunction };

function bind<T extends Record<string, string>>(names: readonly string[], prototypes: T): Functions<T> {
  const library = loadFirst(names);
  const entries = Object.entries(prototypes).map(([name, prototype]) => [name, library.func(prototype)]);
  return Object.fromEntries(entries) as Functions<T>;
}

function loadFirst(names: readonly string[]): LibraryHandle {
  let cause: unknown;
  for (const name of names) {
    try {
      return koffi.load(name);
    } catch (error) {
      cause = error;
    }
  }
  throw new LosslogError('NOT_SUPPORTED', `cannot load ${names[0]}`, {
    hint: 'install libbpf 1.x: `apt-get install libbpf1`, `dnf install libbpf` or `apk add libbpf`',
    cause,
  });
}

let libbpfFunctions: Functions<typeof libbpfPrototypes> | undefined;
let libcFunctions: Functions<typeof libcPrototypes> | undefined;

/** @throws NOT_SUPPORTED where the library is not installed. */
export function libbpf(): Functions<typeof libbpfPrototypes> {
  libbpfFunctions ??= bind(LIBBPF_NAMES, libbpfPrototypes);
  return libbpfFunctions;
}

export function libc(): Functions<typeof libcPrototypes> {
  libcFunctions ??= bind(LIBC_NAMES, libcPrototypes);
  return libcFunctions;
}

/** The name of `errno` after the last call: `EPERM`, or `errno 524` for what has no name here. */
export function lastErrno(): string {
  const errno = koffi.errno();
  const name = Object.entries(koffi.os.errno).find(([, value]) => value === errno)?.[0];
  return name ?? `errno ${errno}`;
}
