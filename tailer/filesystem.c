#include "tailer/filesystem.h"

#include <stddef.h>
#include <sys/vfs.h>

/* From linux/magic.h, statfs(2) and the sources of those that are not in it. */
static const unsigned shared[] = {
	/* Over a network: */
	0x00006969, /* NFS */
	0x0000517b, /* SMB */
	0x0000564c, /* NCP */
	0x00c36400, /* Ceph */
	0x5346414f, /* AFS */
	0x6b414653, /* kAFS */
	0x6b414654, /* kAFS, dynamic root */
	0x73757245, /* Coda */
	0xfe534d42, /* SMB2 */
	0xff534d42, /* CIFS */
	/* In a cluster: */
	0x01161970, /* GFS2 */
	0x013111a8, /* IBRIX */
	0x0bd00bd0, /* Lustre */
	0x19830326, /* BeeGFS */
	0x20030528, /* OrangeFS */
	0x47504653, /* GPFS */
	0x61636673, /* ACFS */
	0x7461636f, /* OCFS2 */
	0xaad7aaea, /* PanFS */
	0xbeefdead, /* StorNext */
	/* By a server in user space, GlusterFS and virtiofs among them: */
	0x65735546, /* FUSE */
	/* Of the host of a virtual machine: */
	0x01021997, /* 9P; also WSL's drives */
	0x786f4256, /* VirtualBox */
	0x7c7c6673, /* Parallels */
	0xbacbacbc, /* VMware */
};

bool filesystem_type_gives_events(unsigned type)
{
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++)
		if (type == shared[i])
			return false;
	return true;
}

bool filesystem_gives_events(const char *path)
{
	struct statfs fs;

	/* The type is a long, and where that has 64 bits its sign may fill them. */
	return statfs(path, &fs) == -1 ||
	       filesystem_type_gives_events((unsigned)fs.f_type);
}
