#!/bin/sh
# boot.sh ROOT: systemd as process 1 of a machine of its own, whose disk is the directory ROOT. To be run by
# `unshare --mount --pid --net --uts --ipc --cgroup --fork`; no container engine is needed.
set -eu
root=$1
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
for folder in run tmp dev; do mount -t tmpfs tmpfs "$root/$folder"; done
for device in null zero full random urandom tty; do
    touch "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
if grep -q name=systemd /proc/self/cgroup; then
    mount -t tmpfs tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd"
    mount -t cgroup -o none,name=systemd systemd "$root/sys/fs/cgroup/systemd"
else
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
fi
mkdir -p "$root/.outside"
cd "$root"
pivot_root . .outside
umount -l /.outside
exec env -i container=unshare PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init
