#include <criterion/criterion.h>

#include "tailer/filesystem.h"

Test(filesystem, what_others_write_to_gives_no_events)
{
	cr_expect_not(filesystem_type_gives_events(0x6969), "NFS");
	cr_expect_not(filesystem_type_gives_events(0x65735546), "FUSE");
	cr_expect_not(filesystem_type_gives_events(0xff534d42), "CIFS");
	cr_expect_not(filesystem_type_gives_events(0x01021997), "9P");
	cr_expect(filesystem_type_gives_events(0xef53), "ext4");
	cr_expect(filesystem_type_gives_events(0x794c7630), "overlayfs");
	cr_expect(filesystem_type_gives_events(0x01021994), "tmpfs");
}

Test(filesystem, what_is_missing_is_found_to_be_so_by_whoever_opens_it)
{
	cr_expect(filesystem_gives_events("/proc/nowhere"));
}
