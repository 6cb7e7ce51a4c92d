#!/bin/sh
# /init of a test machine: makes the host's file system visible, with a writable layer in memory, and goes on in there.
# The checkout has a share of its own, since it may lie on another file system than /.
export PATH=/bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev

stop() {
  echo "losslog-vm: $1"
  poweroff -f
}

while read -r module; do
  insmod "/modules/$module" || echo "losslog-vm: cannot load $module"
done </modules/order

# layer SHARE TARGET: the share below, memory above
layer() {
  mkdir -p "/lower/$1" "/upper/$1"
  mount -t virtiofs -o ro "$1" "/lower/$1" || stop "cannot mount the share $1"
  mount -t tmpfs -o mode=755 upper "/upper/$1"
  mkdir -p "/upper/$1/data" "/upper/$1/work" "$2"
  mount -t overlay -o "lowerdir=/lower/$1,upperdir=/upper/$1/data,workdir=/upper/$1/work" overlay "$2" ||
    stop "cannot layer the share $1"
}

# Not called `checkout`: busybox mount takes a file of the name of a share for an image.
checkout=$(cat /checkout-path)
release=$(cat /proc/sys/kernel/osrelease)
mkdir -p /lower /upper /new
layer root /new
layer checkout "/new$checkout"

mkdir -p /new/proc /new/sys /new/dev /new/run /new/tmp /new/vm/kernel /new/vm/results "/new/lib/modules/$release"
mount -t virtiofs -o ro kernel /new/vm/kernel || stop 'cannot mount the share kernel'
mount -t virtiofs results /new/vm/results || stop 'cannot mount the share results'
mount --bind "/new/vm/kernel/lib/modules/$release" "/new/lib/modules/$release"

umount /proc
mount --move /dev /new/dev
exec switch_root /new /bin/sh "$checkout/lab/vm/guest-init.sh"
