"""Which file it is: neither names, nor inode numbers, nor first bytes alone tell."""

import os

import rotation
from harness import wait_for
from rotation import Rotation

HEAD = "".join(f"# line {n} of a head that all files of this program have\n" for n in range(20))


class Identity(Rotation):
    def test_files_with_the_same_first_kilobyte(self):
        """Five files begin with the same head, all are read, and each goes on at its own place after a kill."""
        self.assertGreater(len(HEAD), 1024)
        for n in range(5):
            stream = self.stream(f"{n}.log", f"w{n}")
            stream.append(HEAD)
            stream.write(10 * n + 1)
        self.comments = 5 * HEAD.count("\n")
        self.follow()
        self.wait_counted()
        self.kill()
        for n, stream in enumerate(self.streams):
            stream.write(n)
        self.again()
        self.finish()

    def test_renamed_generations_with_the_same_first_kilobyte(self):
        """Every file of a log begins with that head, and several come and go while the daemon is down."""
        self.while_down(rotation.rename_and_create, generations=3, head=HEAD)

    def test_copied_generations_with_the_same_first_kilobyte(self):
        """The same with copies and truncation: head and size of two of them are alike."""
        self.while_down(rotation.copytruncate, generations=3, head=HEAD)

    def test_gzipped_generations_with_the_same_first_kilobyte(self):
        """The same with archives, which have another inode than what they were made of."""
        self.while_down(lambda path: rotation.compress(rotation.rename_and_create(path)), generations=3, head=HEAD)

    def test_a_new_file_with_the_same_first_kilobyte_is_read_from_its_start(self):
        """It is longer than the one that it replaces was read."""
        stream = self.stream("app.log")
        stream.append(HEAD)
        stream.write(10)
        self.follow()
        self.comments += HEAD.count("\n")
        self.wait_counted()
        self.kill()
        with open(stream.path + ".new", "w") as f:
            f.write(HEAD + stream.take(100))
        os.rename(stream.path + ".new", stream.path)
        self.comments += HEAD.count("\n")
        self.vanished = 1
        self.again()
        self.finish(kept=False)

    def with_inode(self, path, inode):
        """Makes a file with this inode number; those with other numbers take them away meanwhile."""
        spares = []
        for n in range(2000):
            spares.append(f"{os.path.dirname(path)}/spare-{n}")
            open(spares[-1], "x").close()
            if os.stat(spares[-1]).st_ino == inode:
                os.rename(spares.pop(), path)
                break
        for spare in spares:
            os.unlink(spare)
        if not os.path.exists(path):
            self.skipTest("this file system does not use inode numbers again")

    def test_a_reused_inode_number_while_the_daemon_runs(self):
        """A log is deleted; the next one has its inode number and its first kilobyte, and is longer."""
        stream = self.stream("app.log")
        stream.append(HEAD)
        stream.write(10)
        self.follow()
        self.comments += HEAD.count("\n")
        self.wait_counted()
        inode = os.stat(stream.path).st_ino
        os.unlink(stream.path)
        wait_for("the daemon to close the file", lambda: inode not in self.d.open_inodes())
        self.with_inode(stream.path, inode)
        stream.append(HEAD)
        stream.write(100)
        self.comments += HEAD.count("\n")
        self.finish(kept=False)

    def test_a_reused_inode_number_while_the_daemon_is_down(self):
        """The same between a kill and a start: the number alone would make it the old file."""
        stream = self.stream("app.log")
        stream.append(HEAD)
        stream.write(10)
        self.follow()
        self.comments += HEAD.count("\n")
        self.wait_counted()
        self.kill()
        inode = os.stat(stream.path).st_ino
        os.unlink(stream.path)
        self.with_inode(stream.path, inode)
        stream.append(HEAD)
        stream.write(100)
        self.comments += HEAD.count("\n")
        self.vanished = 1
        self.again()
        self.finish(kept=False)

    def test_a_reused_inode_number_under_another_path(self):
        """The number of a deleted log comes back as another log's."""
        first, second = self.stream("first.log"), self.stream("second.log")
        first.write(10)
        self.follow()
        self.wait_counted()
        self.kill()
        inode = os.stat(first.path).st_ino
        os.unlink(first.path)
        self.with_inode(second.path, inode)
        second.write(100)
        self.vanished = 1
        self.again()
        self.wait_counted()
        first.write(5)
        self.finish(kept=False)

    def test_hard_links_are_one_file(self):
        """a.log and b.log are the same file, whichever is written to; one name goes, both come back."""
        stream = self.stream("a.log")
        stream.write(100)
        os.link(stream.path, self.log("b.log"))
        self.follow()
        for _ in range(2):
            wait_for("lines", lambda: self.one_file(stream))
            with open(self.log("b.log"), "a") as f:
                f.write(stream.take(10))
            wait_for("lines", lambda: self.one_file(stream))
            self.kill()
            stream.write(10)
            self.again()
        os.unlink(self.log("b.log"))
        stream.write(10)
        wait_for("lines", lambda: self.one_file(stream))
        os.link(stream.path, self.log("b.log"))
        stream.write(10)
        wait_for("lines", lambda: self.one_file(stream))
        self.again()
        stream.write(10)
        wait_for("lines", lambda: self.one_file(stream))

    def one_file(self, stream):
        """Its lines are counted once, under whichever of its names it was found first."""
        _, found = self.counted()
        self.assertLessEqual(len(found), 1, found)
        count, total = next(iter(found.values()), (0, 0))
        self.assertLessEqual(count, stream.count, self.d.log)
        return (count, total) == (stream.count, stream.sum)

    def test_a_hard_link_keeps_the_rotated_file(self):
        """The rotator links app.log.1 to app.log and renames a new file over app.log, while the daemon is down."""
        def rotate(path):
            os.link(path, rotation.fresh(path))
            open(path + ".new", "x").close()
            os.rename(path + ".new", path)

        self.while_down(rotate, generations=2)

    def test_two_ways_to_a_file(self):
        """The directory, a glob into it, the file itself, and a symbolic link to the directory are all followed."""
        stream = self.stream("svc/app.log")
        stream.write(100)
        os.symlink("logs", self.path("link"))
        arguments = []
        for path in (self.logs, self.logs + "/*/a*.log", stream.path, self.path("link")):
            arguments += ["--logs", path]
        self.follow(*arguments)
        self.wait_counted()
        rotation.rename_and_create(stream.path)
        stream.write(10)
        self.wait_counted()
        self.kill()
        stream.write(10)
        rotation.rename_and_create(stream.path)
        stream.write(10)
        self.again()
        self.finish()

    def test_rewritten_in_place_with_the_same_size(self):
        """Other lines stand in the same file at the same places, none of which was counted before."""
        streams = {name: self.stream(name + "/app.log") for name in ("running", "held", "down")}
        for stream in streams.values():
            stream.next = stream.first = 100001
            stream.write(200)

        def rewrite(stream):
            size = os.path.getsize(stream.path)
            with open(stream.path, "r+") as f:
                f.write(stream.take(200))
            self.assertEqual(os.path.getsize(stream.path), size)

        self.follow()
        self.wait_counted()
        rewrite(streams["running"])
        self.wait_counted()
        with self.d.frozen():
            rewrite(streams["held"])
            streams["held"].write(10)
        self.wait_counted()
        self.kill()
        rewrite(streams["down"])
        self.again()
        self.finish(kept=False)
