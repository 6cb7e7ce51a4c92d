#!/usr/bin/env bash
# Brings a checkout to where it runs: distribution packages, npm packages, the BPF object, the page.
# Installs only what is missing, so it costs nothing when all is there. Mounts nothing, changes no setting of the host.
# `setup.sh kernels` adds what boots other kernels, `setup.sh bench` the tools that losslog is compared with; `setup.sh tests` adds what only tests use, where there is apt; elsewhere tests that miss something are skipped and say so.
# Exit codes: 0 ready, 1 an installation or the compilation failed, 3 something must be installed by hand.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."
PATH=$PATH:/usr/sbin:/sbin
exec 1>&2 # stdout belongs to the command that runs after set-up

# What is needed | Debian, Ubuntu | Fedora, RHEL | Arch | openSUSE | Alpine
packages='
clang      clang      clang         clang    clang        clang
libbpf     libbpf1    libbpf        libbpf   libbpf1      libbpf
bpf.h      libbpf-dev libbpf-devel  libbpf   libbpf-devel libbpf-dev
ip         iproute2   iproute       iproute2 iproute2     iproute2
tc         iproute2   iproute-tc    iproute2 iproute2     iproute2
iptables   iptables   iptables-nft  iptables iptables     iptables
'

# What only tests use | Debian, Ubuntu
test_packages='
pahole      dwarves
perf        linux-perf
tshark      tshark
chromium    chromium
nft         nftables
'

# What is compared with losslog in bench/ | Debian, Ubuntu
bench_packages='
bpftrace          bpftrace
perf              linux-perf
tshark            tshark
tcpretrans-bpfcc  bpfcc-tools
iperf3            iperf3
'

kernel_packages='
qemu-system-x86_64 qemu-system-x86
busybox            busybox-static
cpio               cpio
depmod             kmod
'
mode=${1:-}
case $mode in
  tests) ;;
  kernels) test_packages=$kernel_packages ;;
  bench) test_packages=$bench_packages ;;
  *) test_packages= ;;
esac
command -v apt-get >/dev/null || test_packages=

say() { printf 'setup: %s\n' "$*"; }

stop() {
  printf 'losslog: %s\n  hint: %s\n' "$1" "$2"
  exit 3
}

has() {
  case $1 in
    libbpf) [[ $(ldconfig -p 2>/dev/null) == *libbpf.so.1* ]] || compgen -G '/usr/lib*/libbpf.so.1' >/dev/null ;;
    bpf.h) [[ -e /usr/include/bpf/bpf_helpers.h ]] ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

# Prints the packages that are missing, as the package manager of column $1 (1 = Debian) calls them.
missing_packages() {
  local columns
  while read -ra columns; do
    [[ ${#columns[@]} -eq 0 ]] || has "${columns[0]}" || printf '%s\n' "${columns[$1]}"
  done <<<"$packages$test_packages" | sort -u | paste -sd' '
}

install_packages() {
  local names prefix=''
  [[ $EUID -eq 0 ]] || prefix='sudo '
  if command -v apt-get >/dev/null; then
    names=$(missing_packages 1)
    [[ $EUID -eq 0 ]] || stop "packages are missing: $names" "run: sudo apt-get update && sudo apt-get install $names"
    say "installing $names"
    apt-get -qq update </dev/null
    # shellcheck disable=SC2086 # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 \
      install -y --no-install-recommends $names </dev/null >/dev/null
  elif command -v dnf >/dev/null; then
    stop 'packages are missing' "run: ${prefix}dnf install $(missing_packages 2)"
  elif command -v pacman >/dev/null; then
    stop 'packages are missing' "run: ${prefix}pacman -S $(missing_packages 3)"
  elif command -v zypper >/dev/null; then
    stop 'packages are missing' "run: ${prefix}zypper install $(missing_packages 4)"
  elif command -v apk >/dev/null; then
    stop 'packages are missing' "run: ${prefix}apk add $(missing_packages 5)"
  else
    stop 'packages are missing' "install what Debian calls $(missing_packages 1)"
  fi
}

# npm ci leaves this copy of the lock file behind, so a changed lock is seen whatever the times of the files are.
lock_stamp=node_modules/.losslog-package-lock.json

npm_is_current() { cmp -s package-lock.json "$lock_stamp"; }

install_npm() {
  say 'installing the npm packages of package-lock.json'
  # npm ci deletes node_modules, so it must not run by the Node that lies in there. koffi's install script is
  # not needed: its binary comes prebuilt in @koromix/koffi-linux-*.
  local path=${PATH//"$PWD/node_modules/.bin:"/}
  PATH=$path command -v npm >/dev/null || stop 'npm is not installed' 'install Node.js 20 or newer with npm'
  PATH=$path npm ci --ignore-scripts --no-audit --no-fund --loglevel=error --include=dev --include=optional </dev/null
  cp package-lock.json "$lock_stamp"
  give_back node_modules
}

object_is_current() {
  [[ -e build/losslog.bpf.o && -z $(find bpf scripts/compile-bpf.sh -newer build/losslog.bpf.o -print -quit) ]]
}

compile_object() {
  say 'compiling the BPF object'
  bash scripts/compile-bpf.sh
  give_back build
}

page_is_current() {
  [[ -e build/ui/index.html && -z $(find ui src/event package-lock.json scripts/build-ui.ts -newer build/ui/index.html -print -quit) ]]
}

build_page() {
  say 'building the page'
  node --disable-warning=ExperimentalWarning scripts/build-ui.ts
  give_back build
}

program_is_current() { node -e 'process.exit(require("./scripts/run-checkout.cjs").isCurrent("build/program") ? 0 : 1)'; }

bundle_program() {
  say 'bundling the program'
  node --disable-warning=ExperimentalWarning scripts/bundle.ts build/program.new
  # A program that runs may load more of it at any time.
  rm -rf build/program && mv build/program.new build/program
  give_back build
}

# Debian's package would start a server on this host: only its two programs are taken, for the tests.
prometheus=build/tools/prometheus

download_prometheus() { (cd build/tools && apt-get -qq download prometheus 2>/dev/null && mv prometheus_*.deb prometheus.deb); }

get_prometheus() {
  local deb=build/tools/prometheus.deb
  say 'fetching prometheus for the tests'
  rm -rf build/tools && mkdir -p build/tools && chmod 755 build/tools
  if ! (download_prometheus || { apt-get -qq update </dev/null 2>/dev/null && download_prometheus; }) || ! dpkg-deb -x "$deb" "$prometheus"; then
    say 'prometheus could not be fetched: its tests are skipped'
    mkdir -p "$prometheus"
  fi
  rm -f "$deb"
  give_back build
}

tools_are_there() {
  [[ $mode != tests || -d $prometheus ]] || ! command -v apt-get >/dev/null || command -v promtool >/dev/null
}

cache_is_current() {
  [[ -e build/.cache-stamp && -z $(find src -newer build/.cache-stamp -print -quit) ]]
}

warm_cache() {
  touch build/.cache-begun
  NODE_COMPILE_CACHE=$PWD/build/compile-cache node --disable-warning=ExperimentalWarning scripts/warm-compile-cache.ts
  mv build/.cache-begun build/.cache-stamp
  give_back build
}

# Under sudo the files would belong to root; they belong to whoever owns the checkout.
give_back() { [[ $EUID -ne 0 ]] || chown -R -h "$(stat -c %u:%g .)" "$1"; }

is_ready() { [[ -z $(missing_packages 1) ]] && npm_is_current && object_is_current && page_is_current && program_is_current && cache_is_current && tools_are_there; }

# The bundled runtime exists for x86-64 and arm64 with glibc; elsewhere the system's Node must be new enough.
check_node() {
  node_modules/.bin/node --version >/dev/null 2>&1 || rm -f node_modules/.bin/node
  local version
  version=$(PATH=$PWD/node_modules/.bin:$PATH node --version 2>/dev/null) || version=v0
  version=${version#v}
  [[ ${version%%.*} -ge 24 ]] || stop 'no Node.js 24 for this machine comes with the npm packages' 'install Node.js 24 or newer'
}

if ! is_ready; then
  mkdir -p build
  exec 9>build/.setup.lock # two set-ups at once would delete each other's node_modules
  flock 9
  [[ -z $(missing_packages 1) ]] || install_packages
  npm_is_current || install_npm
  object_is_current || compile_object
  check_node
  page_is_current || PATH=$PWD/node_modules/.bin:$PATH build_page
  program_is_current || PATH=$PWD/node_modules/.bin:$PATH bundle_program
  tools_are_there || get_prometheus
  cache_is_current || PATH=$PWD/node_modules/.bin:$PATH warm_cache
  say 'ready'
fi
